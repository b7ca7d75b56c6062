"""Browsers other than Playwright's: WebKit, Firefox and Chromium, each driven by the WebDriver protocol."""
