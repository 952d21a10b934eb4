"""The JSON schema of a campaign file, for editors."""

from __future__ import annotations

from typing import Any

from invdesign.campaign_file.fidelity_section import WORD, MultiFidelitySettings
from invdesign.campaign_file.file import REQUIRED, Budget, Header
from invdesign.campaign_file.objective_section import TOP_PATTERN, VerifySettings
from invdesign.campaign_file.registry import REGISTRY, settings_model
from invdesign.campaign_file.target_section import TargetSettings


def campaign_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of the campaign file, made from the same models that check it."""
    definitions: dict[str, Any] = {}

    def definition(name: str, model: Any) -> dict[str, str]:
        schema = model.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(schema.pop("$defs", {}))
        definitions[name] = schema
        return {"$ref": f"#/$defs/{name}"}

    def any_of(section: Any) -> dict[str, Any]:
        words = REGISTRY[section]
        return {"oneOf": [definition(f"{section}-{word}", settings_model(section, word)) for word in words]}

    header = Header.model_json_schema()["properties"]
    target = definition("target", TargetSettings)
    objective = any_of("objective")
    verify = {"oneOf": [{"type": "string", "pattern": TOP_PATTERN}, definition("verify", VerifySettings)]}
    for word in REGISTRY["objective"]:
        stage = {"verify": verify, "name": {"type": "string"}}
        definitions[f"objective-{word}"]["properties"].update(stage)
    fidelities = definition(f"objective-{WORD}", MultiFidelitySettings)
    definitions["FidelitySettings"]["properties"]["objective"] = dict(objective)
    objective["oneOf"].append(fidelities)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "invdesign campaign",
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED),
        "properties": {
            **header,
            "space": {"type": "object", "minProperties": 1, "additionalProperties": any_of("parameter")},
            "constraints": {"type": "array", "items": {"type": "string"}},
            "targets": {"oneOf": [{"type": "array", "items": target, "minItems": 1}, {"type": "string"}]},
            "objective": {"oneOf": [objective, {"type": "array", "items": objective, "minItems": 1}]},
            "surrogate": any_of("surrogate"),
            "optimizer": any_of("optimizer"),
            "budget": definition("budget", Budget),
        },
        "$defs": definitions,
    }
