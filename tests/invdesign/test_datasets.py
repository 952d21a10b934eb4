from __future__ import annotations

import functools
import hashlib
import http.server
import threading

import pytest

from invdesign import datasets
from invdesign.core.errors import InputError
from invdesign.datasets import Dataset


def test_every_dataset_names_its_source():
    known = datasets.registered()
    assert {"hbe", "mxene", "ncm-imputed"} <= set(known)
    for dataset in known.values():
        assert len(dataset.sha256) == 64
        assert dataset.license
        assert dataset.about
        assert (dataset.url is None) == (dataset.repository is None)
        if dataset.url is not None:
            assert dataset.commit in dataset.url
            assert " " not in dataset.url


def test_real_datasets_have_the_registered_checksums(real_data):
    for name in datasets.registered():
        assert datasets.fetch(name).is_file()


def test_a_dataset_is_a_frame(real_data):
    assert len(datasets.dataset("hbe")) == 1424
    assert list(datasets.dataset("zinc-test")) == ["smiles"]
    assert len(datasets.dataset("lithium-ce")) >= 150
    with pytest.raises(InputError):
        datasets.dataset("sendek-cifs")


def test_unknown_names_point_to_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'mxene'"):
        datasets.fetch("mxenes")
    assert str(datasets.resolve("some/file.csv")) == "some/file.csv"


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A registered dataset whose source is a server on this machine."""
    content = b"smiles,E\nCCO,1.5\n"
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "small.csv").write_bytes(content)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    class Local(Dataset):
        @property
        def url(self):
            return f"http://127.0.0.1:{server.server_port}/{self.path}"

    dataset = Local(
        name="small",
        file="small/small.csv",
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        license="MIT",
        about="two columns",
        path="small.csv",
    )
    monkeypatch.setattr(datasets, "registered", lambda: {"small": dataset})
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache")
    monkeypatch.delenv(datasets.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    yield folder / "small.csv"
    server.shutdown()
    server.server_close()


def test_a_dataset_is_downloaded_once(served):
    path = datasets.fetch("small")
    assert path.read_bytes() == served.read_bytes()
    served.unlink()
    assert datasets.fetch("small") == path


def test_an_altered_download_is_refused(served):
    served.write_bytes(b"smiles,E\nCCO,9.9\n")
    with pytest.raises(InputError, match=r"is not the registered dataset 'small'.*It was deleted"):
        datasets.fetch("small")


def test_a_refused_download_says_what_to_do(served):
    served.unlink()
    with pytest.raises(InputError, match=r"could not be downloaded .*404.* set INVDESIGN_DATA"):
        datasets.fetch("small")


def test_an_altered_local_copy_is_refused(served, tmp_path, monkeypatch):
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(InputError, match="is missing"):
        datasets.fetch("small")
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "small.csv").write_bytes(b"something else")
    with pytest.raises(InputError, match="is not the registered file"):
        datasets.fetch("small")


def test_a_dataset_without_a_source_says_so(monkeypatch):
    monkeypatch.delenv(datasets.FOLDER_VARIABLE, raising=False)
    with pytest.raises(InputError, match="no public address"):
        datasets.fetch("ncm-table-csv")
