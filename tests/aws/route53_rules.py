"""What Route 53 refuses and moto lets pass: a change batch is checked as a whole, then applied.

certherd relies on it: a CREATE that is refused tells it that somebody else has values at the name,
and a DELETE that is refused that they have changed since they were read.
"""

import itertools
from typing import Any

from moto.route53 import models
from moto.route53.exceptions import Route53ClientError

# Of one request; what an UPSERT brings is counted twice (Route 53 developer guide, quotas).
MAX_RECORDS = 1000
MAX_VALUE_CHARACTERS = 32_000


_zone_numbers = itertools.count(1)
_make_delegation_set = models.DelegationSet.__init__


def _number_delegation_set(
    delegation_set: models.DelegationSet,
    caller_reference: str,
    name_servers: list[str] | None,
    delegation_set_id: str | None,
) -> None:
    """Four name servers of its own for each zone; moto gives the same four to all."""
    number = next(_zone_numbers)
    own = [
        f"ns-{number % 512 + 512 * i}.awsdns-{number % 64:02}.{top}"
        for i, top in enumerate(("com", "net", "org", "co.uk"))
    ]
    _make_delegation_set(delegation_set, caller_reference, name_servers or own, delegation_set_id)


def normal_name(name: str) -> str:
    """Lower case, with the trailing dot."""
    return name.lower().rstrip(".") + "."


def _refusal(*messages: str) -> Route53ClientError:
    return Route53ClientError("InvalidChangeBatch", "[" + ", ".join(messages) + "]")


def _values(record_set: dict[str, Any]) -> list[str]:
    return [record["Value"] for record in record_set.get("ResourceRecords", [])]


def _check_size(changes: list[dict[str, Any]]) -> None:
    records = characters = 0
    for change in changes:
        weight = 2 if change["Action"] == "UPSERT" else 1
        values = _values(change["ResourceRecordSet"])
        records += weight * len(values)
        characters += weight * sum(len(value) for value in values)
    if records > MAX_RECORDS:
        raise _refusal(f"Number of records limit of {MAX_RECORDS} exceeded.")
    if characters > MAX_VALUE_CHARACTERS:
        raise _refusal(f"Number of characters limit of {MAX_VALUE_CHARACTERS} exceeded.")


def _same(present: models.RecordSet, wanted: dict[str, Any]) -> bool:
    values = sorted(_values(wanted))
    return int(present.ttl) == int(wanted["TTL"]) and sorted(present.records) == values


def _after(zone: models.FakeZone, changes: list[dict[str, Any]]) -> list[models.RecordSet]:
    """The zone's record sets as the changes leave them."""
    sets = {(normal_name(each.name), each.type): each for each in zone.rrsets}
    seen: set[tuple[str, str | None, str]] = set()
    faults = []
    for change in changes:
        action, wanted = change["Action"], change["ResourceRecordSet"]
        name, kind = normal_name(wanted["Name"]), wanted["Type"]
        present = sets.get((name, kind))
        shown = f"resource record set [name='{name}', type='{kind}']"
        # A set may be deleted and then made anew, and no more than that.
        again = {(name, kind, "CREATE"), (name, kind, "UPSERT"), (name, kind, action)} & seen
        seen.add((name, kind, action))
        if not ("." + name).endswith("." + normal_name(zone.name)):
            faults.append(f"RRSet with DNS name {name} is not permitted in zone {zone.name}")
        elif again:
            faults.append(f"The request contains an invalid set of changes for a {shown}")
        elif action == "CREATE" and present:
            faults.append(f"Tried to create {shown} but it already exists")
        elif action == "DELETE" and not present:
            faults.append(f"Tried to delete {shown} but it was not found")
        elif action == "DELETE" and not _same(present, wanted):
            faults.append(
                f"Tried to delete {shown} but the values provided do not match the current values"
            )
        elif action == "DELETE":
            del sets[(name, kind)]
        elif len(set(_values(wanted))) < len(_values(wanted)):
            faults.append(f"Duplicate Resource Record in {shown}")
        else:
            sets[(name, kind)] = models.RecordSet(
                {**wanted, "Name": name, "ResourceRecords": _values(wanted)}
            )
    if faults:
        raise _refusal(*faults)
    return list(sets.values())


def _change_resource_record_sets(
    backend: models.Route53Backend, zoneid: str, change_list: list[dict[str, Any]]
) -> None:
    zone = backend.get_hosted_zone(zoneid)
    _check_size(change_list)
    # A list of its own: who reads the former one meanwhile sees the zone before the batch.
    zone.rrsets = _after(zone, change_list)


def install() -> None:
    models.DelegationSet.__init__ = _number_delegation_set
    models.Route53Backend.change_resource_record_sets = _change_resource_record_sets
