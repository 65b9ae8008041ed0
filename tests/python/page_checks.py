"""What is wrong with a page that a browser shows: used by the tests of the report and of the handouts."""

from devtools import Page

# What sticks out of the window although it is not inside of something that scrolls by itself.
OVERFLOWING = """(() => {
  const scrolls = element => element !== document.body &&
    (['auto', 'scroll'].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement))
  return [...document.querySelectorAll('body *')].filter(element =>
    element.getBoundingClientRect().right > innerWidth + 0.5 && !element.closest('svg') && !scrolls(element)
  ).map(element => element.outerHTML.slice(0, 100))
})()"""
WORDLESS = """[...document.querySelectorAll('img, svg, canvas, object, iframe')].filter(element => {
  const ids = (element.getAttribute('aria-labelledby') || '').split(' ').filter(id => id)
  const words = ids.map(id => document.getElementById(id)).filter(other => other && other.textContent.trim())
  const label = element.alt || element.getAttribute('aria-label') || ''
  return !label.trim() && !(ids.length && words.length === ids.length)
}).map(element => element.outerHTML.slice(0, 100))"""
CONTRAST = """(names => {
  const parts = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(part => {
    const value = part / 255
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  const light = colour => { const [r, g, b] = parts(colour); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const paper = light(getComputedStyle(document.body).backgroundColor)
  const ratio = colour => (Math.max(light(colour), paper) + 0.05) / (Math.min(light(colour), paper) + 0.05)
  return Object.fromEntries(names.map(name => {
    document.body.style.outlineColor = `var(${name})`
    return [name, ratio(getComputedStyle(document.body).outlineColor)]
  }))
})"""


def contrasts(browser: Page, *names: str) -> dict[str, float]:
    """How much each CSS variable that is a colour stands out from the paper: 1 to 21."""
    return browser.evaluate(f"{CONTRAST}({list(names)})")


def complaints(browser: Page) -> list[str]:
    """Errors and warnings of the console, exceptions, and what could not be loaded."""
    found = []
    for event in browser.events:
        method, said = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            found.append(said["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning"):
            found.append(str(said["args"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
            found.append(said["entry"]["text"])
        elif method == "Network.loadingFailed":
            found.append(said["errorText"])
    return found


def loaded(browser: Page) -> list[str]:
    """Every address that was asked for."""
    return [
        event["params"]["request"]["url"]
        for event in browser.events
        if event.get("method") == "Network.requestWillBeSent"
    ]


def background_is_dark(browser: Page) -> bool:
    colour = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    values = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")]
    return len(values) == 3 and sum(values) < 200
