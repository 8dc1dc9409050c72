"""The JSON schema of `config.yaml`, for editors that complete and check it."""

import json

from scopewatch.config.models import Config


def schema_text() -> str:
    """Return the schema with the content of docs/config.schema.json."""
    return json.dumps(Config.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
