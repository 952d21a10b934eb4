"""The JSON schema of a campaign file, for editors."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from invdesign.campaign.stop import Stop
from invdesign.campaign_file.fidelity_section import WORD, FidelitySettings, MultiFidelitySettings
from invdesign.campaign_file.header import Budget, Header
from invdesign.campaign_file.objective_section import TOP_PATTERN, VerifySettings
from invdesign.campaign_file.reader import REQUIRED
from invdesign.campaign_file.screen_section import StepSettings
from invdesign.campaign_file.target_section import LONG, SHORT, TargetSettings
from invdesign.core.plugins import SECTION_REFERENCE, Section, known_words, settings_class
from invdesign.core.settings import descriptions, file_setting_names, nested_classes
from invdesign.screening.running import ScreenSettings

SECTIONS: tuple[Section, ...] = ("parameter", "objective", "surrogate", "optimizer", "executor")
STAGE_NAME = {"type": "string", "description": "Name of the verifying stage, under which its values are stored."}


def campaign_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of the campaign file, generated from the classes that read it, plugins included."""
    definitions: dict[str, Any] = {}
    for section in SECTIONS:
        for word in known_words(section):
            schema = _schema(settings_class(section, word), definitions)
            schema["properties"] = {
                "type": {"const": word, "description": f"The {section} to use."},
                **schema["properties"],
            }
            schema["required"] = ["type", *schema.get("required", [])]
            definitions[f"{section}-{word}"] = schema
    sections = {
        "target": TargetSettings,
        "budget": Budget,
        "verify": VerifySettings,
        "step": StepSettings,
        "stop": Stop,
    }
    for name, cls in {**sections, "screen": ScreenSettings}.items():
        definitions[name] = _schema(cls, definitions)
    steps = {"type": "array", "items": _reference("step")}
    definitions["screen"]["properties"]["steps"] = _described("The funnel; cheap steps run first.", steps)
    definitions["target"]["properties"][SHORT] = definitions["target"]["properties"][LONG]
    for word in known_words("objective"):
        definitions[f"objective-{word}"]["properties"] |= {"verify": _verify(), "name": STAGE_NAME}
    definitions[f"objective-{WORD}"] = _schema(MultiFidelitySettings, definitions)
    definitions["FidelitySettings"] = _schema(FidelitySettings, definitions)
    definitions["FidelitySettings"]["properties"]["objective"] |= _any_of("objective")
    objective = {"oneOf": [*_any_of("objective")["oneOf"], _reference(f"objective-{WORD}")]}
    listed = {"type": "array", "items": _reference("target"), "minItems": 1}
    header = _schema(Header, definitions)["properties"]
    properties = {
        **header,
        "space": _described("Parameters by name.", _mapping_of(_any_of("parameter"))),
        "constraints": _described("Expressions over parameters.", {"type": "array", "items": {"type": "string"}}),
        "targets": _described(
            "The targets, several sets of them by name, or the name of a file with targets.",
            {"oneOf": [listed, {**_mapping_of(listed), "minProperties": 1}, {"type": "string"}]},
        ),
        "objective": _described(
            "The source of property values.",
            {"oneOf": [objective, {"type": "array", "items": objective, "minItems": 1}]},
        ),
        "surrogate": _described("The model of the properties, or one for each property by name.", _any_of("surrogate")),
        "optimizer": _described("How candidates are proposed.", _any_of("optimizer")),
        "data": _described(
            "One or several tables of results that were measured before (CSV or .xlsx); see the command tell.",
            {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        ),
        "budget": _described("The number of candidates.", _reference("budget")),
        "stop": _described("When the campaign ends before its budget is spent.", _reference("stop")),
        "executor": _described("Where evaluations and blocks run, instead of workers.", _any_of("executor")),
        "screen": _described("How the space is screened by invdesign screen.", _reference("screen")),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "invdesign campaign",
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED),
        "properties": _with_sections(properties),
        "$defs": _with_sections(definitions),
    }


def _schema(cls: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a settings class, with documentation; nested classes are added to ``definitions``."""
    schema = TypeAdapter(cls).json_schema(ref_template="#/$defs/{model}")
    nested = schema.pop("$defs", {})
    for name, part in nested_classes(cls).items():
        for key, text in descriptions(part).items():
            if key in nested.get(name, {}).get("properties", {}):
                nested[name]["properties"][key]["description"] = text
    texts = descriptions(cls)
    known = {}
    for name in file_setting_names(cls):
        found = {key: value for key, value in schema["properties"][name].items() if key != "title"}
        known[name] = {**found, "description": texts[name]} if name in texts else found
    text = json.dumps(known)
    definitions.update({name: part for name, part in nested.items() if f'#/$defs/{name}"' in text})
    return {**schema, "properties": known}


def _with_sections(node: Any) -> Any:
    """The schema with the types of a section wherever one of them may be given."""
    if isinstance(node, dict):
        if SECTION_REFERENCE in node:
            rest = {key: value for key, value in node.items() if key != SECTION_REFERENCE}
            return {**rest, **_any_of(node[SECTION_REFERENCE])}
        return {key: _with_sections(value) for key, value in node.items()}
    return [_with_sections(item) for item in node] if isinstance(node, list) else node


def _any_of(section: Section) -> dict[str, Any]:
    one: list[dict[str, Any]] = [_reference(f"{section}-{word}") for word in known_words(section)]
    if section != "surrogate":
        return {"oneOf": one}
    # One for each property by name; a mapping with a type is one for all.
    named = {**_mapping_of({"oneOf": one}), "not": {"required": ["type"]}}
    return {"oneOf": [*one, named]}


def _verify() -> dict[str, Any]:
    return _described(
        "Makes the objective a verifying stage, which evaluates this number of the best candidates again.",
        {"oneOf": [{"type": "string", "pattern": TOP_PATTERN}, _reference("verify")]},
    )


def _mapping_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "minProperties": 1, "additionalProperties": schema}


def _described(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, **schema}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}
