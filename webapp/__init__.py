"""The Mini App: the page, its API, health and metrics, as one aiohttp application."""
