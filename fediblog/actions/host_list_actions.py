"""Lists of rules about servers that operators hand on: what one would do here, and doing it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from fediblog.actions import moderation_actions, ruling_actions
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid
from fediblog.prepare.host_rule_csv import MOST_LINES, HostLine
from fediblog.store.people import host_rules, relation_lists
from fediblog.store.people.host_rules import HostRule, Severity
from fediblog.store.people.hosts import domains
from fediblog.store.tx import Tx


class NewRule(Struct, frozen=True, kw_only=True):
    """A rule that there is not yet, and how many follows from here and from there it cuts off."""

    rule: HostRule
    follows: int = 0
    followers: int = 0


class HostListEffect(Struct, frozen=True, kw_only=True):
    """What a list does: new rules, those that cut off most follows first; how many servers keep the rule that they
    have; and lines that cannot be used, with the key of the message that says why.
    """

    new: list[NewRule]
    stay: int
    unusable: list[tuple[HostLine, str]]

    def total(self, severity: str) -> int:
        """How many of the new rules have that severity."""
        return sum(each.rule.severity == severity for each in self.new)

    @property
    def follows(self) -> int:
        """How many follows from here are cut off."""
        return sum(each.follows for each in self.new)

    @property
    def followers(self) -> int:
        """How many follows from there are cut off."""
        return sum(each.followers for each in self.new)


def effect(tx: Tx, urls: Urls, lines: Sequence[HostLine]) -> HostListEffect:
    """What a list would do now. Raises Invalid if there is nothing in it, or too much."""
    if not lines:
        raise Invalid("list", "moderation.list-empty")
    if len(lines) > MOST_LINES:
        raise Invalid("list", "import.too-many-lines", n=MOST_LINES)
    known = {each.host for each in host_rules.everything(tx)}
    rules: dict[str, HostRule] = {}
    unusable: list[tuple[HostLine, str]] = []
    for line in lines:
        try:
            rule = _rule(urls, line)
            rules[rule.host] = rule
        except Invalid as error:
            unusable.append((line, error.key))
    lost = _lost(tx, {host for host, rule in rules.items() if host not in known and rule.severity == Severity.SUSPEND})
    new = [
        NewRule(rule=rule, follows=lost[host][0], followers=lost[host][1]) if host in lost else NewRule(rule=rule)
        for host, rule in rules.items()
        if host not in known
    ]
    new.sort(key=lambda each: (-each.follows - each.followers, each.rule.host))
    return HostListEffect(new=new, stay=len(known & rules.keys()), unusable=unusable)


def _rule(urls: Urls, line: HostLine) -> HostRule:
    severity = next((each for each in Severity if each == (line.severity or Severity.SUSPEND)), None)
    if severity is None:
        raise Invalid("list", "moderation.severity-unknown")
    return HostRule(
        host=moderation_actions.host_name(urls, line.host),
        severity=severity,
        reject_media=line.reject_media,
        reject_reports=line.reject_reports,
        reason=line.comment,
    )


def _lost(tx: Tx, hosts: set[str]) -> dict[str, list[int]]:
    """For each of these hosts with whom anybody here has to do: how many there are followed from here, and follow."""
    lost: dict[str, list[int]] = {}
    for place in relation_lists.follows_by_place(tx):
        for host in hosts.intersection(domains(*filter(None, place.hosts))):
            total = lost.setdefault(host, [0, 0])
            total[0] += place.follows
            total[1] += place.followers
    return lost


def put_in_force(tx: Tx, urls: Urls, by: int, lines: Sequence[HostLine]) -> int:
    """Have the new rules of a list stand; how many those are. Raises Invalid as `effect` does."""
    new = [each.rule for each in effect(tx, urls, lines).new]
    ruling_actions.rule_on_hosts(tx, by, new)
    return len(new)
