"""The report of the demo: printed as it grows, and as one HTML page without any other file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html import escape

BAR_CHARACTERS = 40


@dataclass
class Step:
    title: str
    facts: list[tuple[str, bool]] = field(default_factory=list)
    censuses: list[tuple[str, int, dict[str, Counter[str]]]] = field(default_factory=list)


@dataclass
class Report:
    """Steps, each with facts that were checked and censuses."""

    steps: list[Step] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        facts = [good for step in self.steps for _, good in step.facts]
        return bool(facts) and all(facts)

    def step(self, title: str) -> None:
        self.steps.append(Step(title))
        print(f"\n{len(self.steps)}. {title}")

    def fact(self, text: str, good: bool) -> None:
        self.steps[-1].facts.append((text, good))
        print(f"   {'✓' if good else '✗ FAILED:'} {text}", flush=True)

    def census(self, title: str, rows: int, counts: dict[str, Counter[str]]) -> None:
        self.steps[-1].censuses.append((title, rows, counts))
        print(f"   {title}: rows per key, read without any key")
        for column, keys in counts.items():
            shown = "   ".join(
                f"{key} {bar(count, rows)} {count:5,}" for key, count in sorted(keys.items())
            )
            print(f"      {column:<11} {shown}")


def bar(count: int, rows: int) -> str:
    return "█" * round(BAR_CHARACTERS * count / rows)


STYLE = """
:root { color-scheme: light dark; --old: light-dark(#b45309, #f59e0b); --new: light-dark(#0f766e, #2dd4bf);
  --line: light-dark(#d4d4d8, #3f3f46); --soft: light-dark(#f4f4f5, #27272a); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem;
  background: light-dark(#fff, #18181b); color: light-dark(#18181b, #f4f4f5); }
h1 { margin-bottom: 0; } h2 { margin: 2.2rem 0 .4rem; font-size: 1.15rem; }
.lead { color: light-dark(#52525b, #a1a1aa); margin-top: .2rem; }
ul { list-style: none; padding: 0; margin: .4rem 0; } li { padding-left: 1.6rem; text-indent: -1.6rem; }
li::before { content: "✓"; display: inline-block; width: 1.6rem; text-indent: 0; color: var(--new); font-weight: 700; }
li.bad { color: #dc2626; } li.bad::before { content: "✗"; color: #dc2626; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { text-align: left; padding: .25rem .6rem; border-top: 1px solid var(--line); }
th { font-weight: 500; width: 7rem; } td.n { text-align: right; white-space: nowrap; width: 11rem; }
.bar { display: flex; height: 1rem; background: var(--soft); border-radius: 3px; overflow: hidden; }
.old { background: var(--old); } .new { background: var(--new); }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; vertical-align: -1px; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: 3px; }
"""


def html(report: Report) -> str:
    facts = sum(len(step.facts) for step in report.steps)
    verdict = "All checks passed" if report.good else "A check failed"
    steps = "".join(step_html(number, step) for number, step in enumerate(report.steps, 1))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reseal demo: {verdict}</title>
<style>{STYLE}</style>
<h1>One database, two languages, one key rotation</h1>
<p class="lead">{verdict}: {facts} facts in {report.seconds:.1f} seconds.</p>
{steps}
</html>
"""


def step_html(number: int, step: Step) -> str:
    items = "".join(
        f"<li{'' if good else ' class=bad'}>{escape(text)}</li>" for text, good in step.facts
    )
    tables = "".join(census_html(*census) for census in step.censuses)
    return f"<section><h2>{number}. {escape(step.title)}</h2>{tables}<ul>{items}</ul></section>"


def census_html(title: str, rows: int, counts: dict[str, Counter[str]]) -> str:
    keys = sorted({key for column in counts.values() for key in column})
    legend = " ".join(
        f'<span class="key {css(key)}"></span> <code>{escape(key)}</code>' for key in keys
    )
    lines = "".join(column_html(column, rows, keys) for column, keys in counts.items())
    return f"<table><caption>{escape(title)}: rows per key {legend}</caption>{lines}</table>"


def column_html(column: str, rows: int, keys: Counter[str]) -> str:
    shown = sorted(keys.items())
    parts = "".join(
        f'<span class="{css(key)}" style="width: {100 * count / rows:.2f}%"></span>'
        for key, count in shown
    )
    numbers = ", ".join(f"{count:,} {key.split()[0]}" for key, count in shown)
    return f'<tr><th scope="row">{escape(column)}</th><td><div class="bar">{parts}</div></td><td class="n">{numbers}</td></tr>'


def css(key: str) -> str:
    """`old` or `new`, the first word of a key's name."""
    return escape(key.split()[0])
