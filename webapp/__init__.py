"""The Mini App's server: the page, its API, health and metrics; and in `static/` the page itself.

    application     adds everything to the program's one web server
    pages           the page and its files: compressed, hashed, under a strict policy
    init_data       what Telegram says about who is calling, checked exactly
    tokens          the short session token that follows it
    callers         the session's door, and the check before every other route
    edits_api       one edit's photo, mask, selection, result
    events          what an edit is doing, as server-sent events
    bodies, limits  how much may be sent, and how often
    errors, texts   every error as JSON, in the person's language
    health, traffic for the operator

It knows the edits (`bot.edits.canvas`) and neither the chat nor the settings: it is handed what it needs. No route
takes a person's, a chat's or a file's id from a request's body, and none takes an address to fetch.
"""
