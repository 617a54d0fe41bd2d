"""What is remembered is bounded, and what was used least recently goes first."""

from __future__ import annotations

from fediblog.memory import Memory


def test_memory_is_bounded_by_weight_and_forgets_what_was_used_least_recently() -> None:
    memory: Memory[str, int] = Memory(10)
    memory.put("a", 1, weight=4)
    memory.put("b", 2, weight=4)
    assert memory.get("a") == 1
    memory.put("c", 3, weight=4)
    assert memory.get_all(["a", "b", "c"]) == {"a": 1, "c": 3}
    memory.put("a", 5, weight=8)
    assert memory.get_all("abc") == {"a": 5}
    memory.put("big", 6, weight=11)
    assert len(memory) == 0


def test_what_is_too_old_counts_as_forgotten() -> None:
    memory: Memory[str, int] = Memory(10)
    memory.put("a", 1, at=5)
    assert memory.get("a", since=5) == 1
    assert memory.get("a", since=6) is None
    assert memory.get_all("a", since=6) == {}
    memory.clear()
    assert memory.get("a") is None
