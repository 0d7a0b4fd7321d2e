# SPDX-License-Identifier: Apache-2.0
"""Opens the page of a report in a headless Chromium as readers do: on a phone, on a desk, light, dark
and printed. Reads values back and compares them with the JSON that the page was made of.
usage: check.py PAGE.html REPORT.json FOLDER_FOR_SCREENSHOTS"""
import json
import os
import sys

from browser import Browser

page, report_path, out = sys.argv[1:]
with open(report_path, encoding="utf-8") as file:
    report = json.load(file)
os.makedirs(out, exist_ok=True)
failures = 0


def check(holds, what):
    global failures
    if not holds:
        failures += 1
        print("FAILED:", what)


# Of every run, what its table says: numbers as shown, unrounded ones, and lengths of bars.
TABLES = """[...document.querySelectorAll('table.run')].map(table => ({
  model: table.dataset.model, sizes: table.dataset.sizes,
  rows: [...table.querySelectorAll('tbody tr')].map(row => ({
    engine: row.dataset.engine, shown: row.querySelector('th').textContent,
    modes: Object.fromEntries([...row.querySelectorAll('td[data-mode]')].map(cell => [
      cell.dataset.mode, {us: +cell.dataset.us, shown: cell.querySelector('span').textContent,
                          bar: cell.querySelector('i').getBoundingClientRect().width}]))}))}))"""

# How large the smallest text of any plot is on the screen, and which texts leave the window.
TEXTS = """(width => { let least = 99, outside = [];
  for (const text of document.querySelectorAll('figure svg text')) {
    const box = text.getBoundingClientRect();
    if (!box.width) continue;
    const svg = text.ownerSVGElement;
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    least = Math.min(least, parseFloat(getComputedStyle(text).fontSize) * scale);
    if (box.left < -1 || box.right > width + 1) outside.push(text.textContent);
  }
  return {least, outside}; })"""

# Contrast to the background, as the Web Content Accessibility Guidelines reckon it.
CONTRASTS = """(() => {
  const light = color => { const [r, g, b] = color.match(/[0-9.]+/g).map(c => c / 255)
      .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = light(getComputedStyle(document.body).backgroundColor);
  const to = color => { const l = light(color);
    return (Math.max(l, back) + 0.05) / (Math.min(l, back) + 0.05); };
  const all = {text: to(getComputedStyle(document.body).color),
               dim: to(getComputedStyle(document.querySelector('.dim')).color),
               link: to(getComputedStyle(document.querySelector('a')).color)};
  for (const line of document.querySelectorAll('svg.key line'))
    all[line.classList[0]] = to(getComputedStyle(line).stroke);
  return {back, all}; })()"""


def expected():
    for model in report["models"]:
        for run in model["runs"]:
            sizes = ", ".join(f"{k}={v}" for k, v in sorted(run["sizes"].items())) or "fixed sizes"
            rows = [r for r in run["results"] if "error" not in r]
            if rows:
                yield model["name"], sizes, rows


def check_values(browser, where):
    tables = browser.value(TABLES)
    wanted = list(expected())
    check(len(tables) == len(wanted), f"{where}: {len(tables)} tables of runs, not {len(wanted)}")
    values = 0
    for table, (model, sizes, results) in zip(tables, wanted):
        place = f"{where}: {model} at {sizes}"
        check((table["model"], table["sizes"]) == (model, sizes), f"{place}: is {table['model']}")
        check([r["engine"] for r in table["rows"]] == [r["engine"] for r in results],
              f"{place}: engines {[r['engine'] for r in table['rows']]}")
        longest, full = {}, {}  # by mode: bars of hot and of cold calls have scales of their own
        for mode in ("hot", "cold"):
            longest[mode] = max((r[mode]["median_us"] for r in results if mode in r), default=0)
            full[mode] = max((r["modes"][mode]["bar"] for r in table["rows"] if mode in r["modes"]), default=0)
        for row, result in zip(table["rows"], results):
            check(row["shown"].strip() == result["engine"], f"{place}: shows {row['shown']}")
            check(sorted(row["modes"]) == sorted(m for m in ("hot", "cold") if m in result),
                  f"{place}: {result['engine']} has {sorted(row['modes'])}")
            for mode, cell in row["modes"].items():
                us = result[mode]["median_us"]
                values += 1
                check(cell["us"] == us, f"{place}: {result['engine']}, {mode}: {cell['us']}, not {us}")
                shown = cell["shown"].removesuffix(" ~")
                check(abs(float(shown) - us) <= 0.006 * us,
                      f"{place}: {result['engine']}, {mode}: shows {shown} of {us}")
                check((shown == cell["shown"]) == result[mode]["steady"],
                      f"{place}: {result['engine']}, {mode}: the mark of what is not steady")
                check(abs(cell["bar"] - max(1, full[mode] * us / longest[mode])) <= 1,
                      f"{place}: {result['engine']}, {mode}: a bar of {cell['bar']} of {full[mode]}")
    return values


def check_look(browser, where, width, dark):
    # Not innerWidth: a phone's window grows with what does not fit.
    is_wide = browser.value("document.documentElement.scrollWidth")
    check(is_wide <= width, f"{where}: the page is {is_wide} pixels wide, the window {width}")
    texts = browser.value(f"{TEXTS}({width})")
    check(texts["least"] >= 9, f"{where}: text of {texts['least']:.1f} pixels in a plot")
    check(not texts["outside"], f"{where}: outside of the window: {texts['outside'][:3]}")
    contrasts = browser.value(CONTRASTS)
    check((contrasts["back"] < 0.05) == dark, f"{where}: a background of {contrasts['back']:.2f}")
    for name, contrast in contrasts["all"].items():
        least = 4.5 if name in ("text", "dim", "link") else 3
        check(contrast >= least, f"{where}: the contrast of {name} is {contrast:.2f}")


browser = Browser()
try:
    for name, width, height, dark in (("phone", 390, 844, False), ("phone-dark", 390, 844, True),
                                      ("desk", 1280, 900, False), ("desk-dark", 1280, 900, True)):
        asked, said = browser.open(page, width, height, dark, scale=2 if width < 600 else 1)
        check(not asked, f"{name}: asks for {asked}")
        check(not said, f"{name}: the browser says {said}")
        check_look(browser, name, width, dark)
        values = check_values(browser, name)
        browser.screenshot(os.path.join(out, name + ".png"),
                           {"x": 0, "y": 0, "width": width, "height": 6000})
        # With everything unfolded it still fits.
        browser.value("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        check_look(browser, name + ", unfolded", width, dark)
        profile = browser.value("(e => e ? e.getBoundingClientRect().top + scrollY : -1)"
                                "(document.querySelector('table.kernels')?.closest('details'))")
        if profile >= 0:
            browser.screenshot(os.path.join(out, name + "-profile.png"),
                               {"x": 0, "y": profile, "width": width, "height": 1400})
    # On paper: dark mode or not, what is printed is dark on white, and no table leaves the sheet.
    browser.open(page, 703, 1000, dark=True)
    browser.call("Emulation.setEmulatedMedia", media="print")
    check_look(browser, "print", 703, dark=False)
    browser.pdf(os.path.join(out, "print.pdf"))
    check(os.path.getsize(os.path.join(out, "print.pdf")) > 10000, "print: an empty PDF")
finally:
    browser.close()
print(f"{values} values read back in each of 4 windows; {failures} failures; screenshots in {out}")
sys.exit(1 if failures else 0)
