"""The oldest browsers that both pages work in, and what is above them (docs/mini-app.md#the-floor).

`browsers.json` is the floor. `features.json` lists what newer browsers know: an extract of MDN's browser-compat-data,
made by `extract.py`. `lint.js` (for Deno's linter) looks for it in the scripts, `styles.py` in style sheets and pages.
"""
