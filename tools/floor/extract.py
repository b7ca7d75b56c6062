"""Write `features.json`: what is above the floor. `tools/floor/extract.py FOLDER`, with npm's @mdn/browser-compat-data.

    npm pack @mdn/browser-compat-data && tar xf mdn-browser-compat-data-*.tgz
    .venv/bin/python tools/floor/extract.py package

Run it again after the floor in `browsers.json` has changed. The data is MDN's, under CC0-1.0.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAMES = {"safari": ("safari_ios", "safari"), "chrome": ("webview_android", "chrome_android"), "firefox": ("firefox",)}
"""MDN's names of the browsers that are meant; all must know a feature."""

Data = dict[str, Any]


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.removeprefix("≤").split("."))


def since(statements: Data | list[Data]) -> str | None:
    """The version from which a browser knows a feature under its own name and without a flag; None: it does not."""
    for statement in statements if isinstance(statements, list) else [statements]:
        added = statement.get("version_added")
        plain = not any(key in statement for key in ("flags", "prefix", "alternative_name", "version_removed"))
        if plain and isinstance(added, str) and added != "preview":
            return added
    return None


def missing(compat: Data, floor: dict[str, str]) -> str | None:
    """Which browsers of the floor do not know a feature, as "Safari 15.4, Chrome 92"; None: all know it.

    A feature that only one of the three knows even today, or that is obsolete, does not count: no page uses it
    by accident, and its name may be one of the page's own names.
    """
    found, unknown = [], 0
    if compat["status"]["deprecated"] or not compat["status"].get("standard_track", True):
        return None
    for browser, lowest in floor.items():
        versions = [since(compat["support"][name]) for name in NAMES[browser] if name in compat["support"]]
        late = [added for added in versions if added is None or version(added) > version(lowest)]
        if late:
            unknown += None in late
            newest = max((added for added in late if added), key=version, default="")
            found.append(f"{browser.capitalize()} {newest}" if None not in late else f"no {browser.capitalize()}")
    return ", ".join(found) if found and unknown < 2 else None


def children(node: Data) -> Iterator[tuple[str, Data]]:
    for name, child in node.items():
        if name != "__compat" and isinstance(child, dict) and "__compat" in child:
            yield name, child


def extract(data: Data, floor: dict[str, str]) -> dict[str, Data]:
    """What is above the floor, by kind."""
    found: dict[str, Data] = {
        kind: {}
        for kind in ("properties", "values", "functions", "units", "selectors", "at_rules", "elements", "attributes")
    }

    def note(kind: str, name: str, node: Data) -> None:
        late = missing(node["__compat"], floor)
        if late is not None:
            found[kind].setdefault(name, late)

    css, html = data["css"], data["html"]
    simple = {"selectors": css["selectors"], "at_rules": css["at-rules"]}
    simple |= {"elements": html["elements"], "attributes": html["global_attributes"]}
    for kind, nodes in simple.items():
        for name, node in children(nodes):
            note(kind, name, node)
    for name, node in children(css["properties"]):
        note("properties", name, node)
        if name not in found["properties"]:
            for value, inner in children(node):
                if "_" not in value:
                    note("values", f"{name}: {value}", inner)
    for name, inner in children(css["types"]["length"]):
        note("units", name, inner)
    for name, node in functions(css["types"]):
        note("functions", name, node)
    return found | extract_scripts(data, floor)


def functions(types: Data) -> Iterator[tuple[str, Data]]:
    """What may stand before a parenthesis: the types of values, and their kinds."""
    for name, node in types.items():
        if isinstance(node, dict) and name != "length":
            yield from children({name: node})
            yield from ((inner, child) for inner, child in children(node) if "_" not in inner)


def extract_scripts(data: Data, floor: dict[str, str]) -> dict[str, Data]:
    """Globals, statics ("Object.hasOwn") and members; a member counts if it is above the floor wherever it exists."""
    globals_: dict[str, str] = {}
    statics: dict[str, str] = {}
    members: dict[str, str | None] = {}
    for node in (data["api"], data["javascript"]["builtins"]):
        for name, interface in children(node):
            late = missing(interface["__compat"], floor)
            if late:
                globals_[name] = late
            for member, inner in children(interface):
                own = missing(inner["__compat"], floor)
                if member.endswith("_static"):
                    if own and not late:
                        statics[f"{name}.{member.removesuffix('_static')}"] = own
                elif "_" not in member and not member.startswith("@@"):
                    members[member] = own if members.get(member, own) else None
                    if name in ("Window", "WorkerGlobalScope") and own:
                        globals_.setdefault(member, own)
    return {
        "globals": globals_,
        "statics": statics,
        "members": {name: late for name, late in members.items() if late is not None},
    }


def main() -> None:
    data = json.loads((Path(sys.argv[1]) / "data.json").read_text())
    floor = json.loads((HERE / "browsers.json").read_text())
    found = {kind: dict(sorted(names.items())) for kind, names in extract(data, floor).items()}
    source = {
        "source": f"@mdn/browser-compat-data {data['__meta']['version']} (CC0-1.0), by extract.py",
        "floor": floor,
    }
    (HERE / "features.json").write_text(json.dumps(source | found, indent=1, ensure_ascii=False) + "\n")
    print({kind: len(names) for kind, names in found.items()})


if __name__ == "__main__":
    main()
