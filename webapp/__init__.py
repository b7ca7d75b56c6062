"""The Mini App's server: the page, its API, health and metrics. `static/` holds the page itself.

    application     adds everything to the program's one web server
    pages           serves the page and its files: compressed, hashed, under a strict policy
    init_data       checks initData: Telegram's proof of who opened the page
    tokens          the short session token that replaces initData
    callers         opens sessions, and checks the session before every other route
    edits_api       one edit's photo, mask, selection and result
    events          an edit's progress as server-sent events
    bodies, limits  how large a request may be, and how many requests are allowed
    errors          turns every error into JSON
    languages       the language of an answer
    health, traffic for the operator: /healthz, /readyz, /metrics

It uses `bot.edits.canvas` and `bot.texts`, and knows neither the chat nor the settings. No route reads the id of a
person, a chat or a file from a request's body, and none fetches an address that a request names.
"""
