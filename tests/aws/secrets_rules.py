"""Where Secrets Manager differs from moto: what a version stage is moved to, and what it protects.

moto keeps the version that GetSecretValue gives by default beside the stages, and does not move it
along with AWSCURRENT.
"""

from moto.secretsmanager import models
from moto.secretsmanager.exceptions import ResourceExistsException

_get_secret_value = models.SecretsManagerBackend.get_secret_value
_put_secret_value = models.SecretsManagerBackend.put_secret_value
_update_secret_version_stage = models.SecretsManagerBackend.update_secret_version_stage


def _get(
    backend: models.SecretsManagerBackend,
    secret_id: str,
    version_id: str | None,
    version_stage: str | None,
) -> dict[str, object]:
    if not version_id and not version_stage:
        version_stage = "AWSCURRENT"
    return _get_secret_value(backend, secret_id, version_id, version_stage)


def _put(
    backend: models.SecretsManagerBackend,
    secret_id: str,
    secret_string: str,
    secret_binary: str,
    client_request_token: str,
    version_stages: list[str],
) -> str:
    # moto lets the value of a version be replaced as long as it is pending.
    if secret_id in backend.secrets:
        secret = backend.secrets[secret_id]
        version = secret.versions.get(client_request_token)
        if version and version.get("secret_string") != secret_string:
            raise ResourceExistsException(
                f"You can't use ClientRequestToken {client_request_token} because that value is "
                f"already in use for a version of secret {secret.arn}."
            )
        if version:
            return secret.to_short_dict(
                include_version_stages=True, version_id=client_request_token
            )
    return _put_secret_value(
        backend, secret_id, secret_string, secret_binary, client_request_token, version_stages
    )


def _move(
    backend: models.SecretsManagerBackend,
    secret_id: str,
    version_stage: str,
    remove_from_version_id: str,
    move_to_version_id: str,
) -> tuple[str, str]:
    result = _update_secret_version_stage(
        backend, secret_id, version_stage, remove_from_version_id, move_to_version_id
    )
    if version_stage == "AWSCURRENT" and move_to_version_id:
        backend.secrets[secret_id].set_default_version_id(move_to_version_id)
    return result


def install() -> None:
    models.SecretsManagerBackend.get_secret_value = _get
    models.SecretsManagerBackend.put_secret_value = _put
    models.SecretsManagerBackend.update_secret_version_stage = _move
