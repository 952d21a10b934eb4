from __future__ import annotations

from plotly.offline import get_plotlyjs

from invdesign.report.plotly_part import plotly_part

WHOLE = (
    'var W=(e,t)=>t;var a=W((e,t)=>{t.exports=b()});var b=W((e,t)=>{var x={moduleType:"trace",name:"bar"};c()});'
    'var c=W(e=>{e.x=1});var d=W((e,t)=>{t.exports=f()});var f=W((e,t)=>{var x={moduleType:"trace",name:"pie"};g()});'
    "var g=W(()=>{1});var z=W((e,t)=>{var r=c();r.register([a(),d()]);t.exports=r});z();"
)


def test_modules_that_the_kept_traces_do_not_need_are_left_out():
    part = plotly_part(WHOLE, ("bar", "scatter"))
    assert "r.register([a()])" in part
    assert all(f"var {name}=W(" in part for name in "abcz")
    assert not any(f"var {name}=W(" in part for name in "dfg")


def test_a_file_of_another_format_is_kept_whole():
    for other in ("", "var Plotly = {};", WHOLE.replace("register", "enlist"), WHOLE.replace('"bar"', '"beam"')):
        assert plotly_part(other, ("bar", "scatter")) == other


def test_the_installed_plotly_is_cut_to_less_than_a_third():
    whole = get_plotlyjs()
    part = plotly_part(whole, ("bar", "scatter"))
    assert len(part) < 0.3 * len(whole)
    assert "Licensed under the MIT license" in part
