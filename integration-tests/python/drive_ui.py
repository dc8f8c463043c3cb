"""Uses show_ui() as a researcher does: logs in to the JupyterHub with a browser, opens a notebook, runs its cells, sets
parameters, submits, watches, and looks at every tab. Order on stdin, outcome as the last line of stdout; a picture of
each tab goes to the folder that the order names. Runs in the environment that deploy/local/lib/install-browser makes.
"""

import json
import re
import sys
import time
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
MS = 1000
order = json.load(sys.stdin)
pictures = Path(order["pictures"])
began = time.monotonic()
steps, taken = [], []


def step(text):
    steps.append(f"{time.monotonic() - began:5.1f} s  {text}")


def log_in(page):
    page.goto(f"{order['hub']}/hub/login")
    page.fill("#username_input", order["user"])
    page.fill("#password_input", order["password"])
    page.click("#login_submit")
    page.wait_for_url("**/lab**", timeout=120 * MS)
    step("logged in to JupyterHub, JupyterLab is there")


def open_notebook(page):
    page.goto(f"{order['hub']}/user/{order['user']}/lab/tree/{order['notebook']}?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell .cm-content", timeout=120 * MS)
    page.get_by_role("button", name=re.compile(r"Python 3 .*\| Idle")).wait_for(timeout=60 * MS)
    step("notebook open, kernel idle")


def run_cells(page):
    """Again, if nothing begins: a Lab that is not connected to its kernel yet drops what it is asked to run."""
    prompt = page.locator(".jp-Notebook .jp-InputPrompt").first
    before = prompt.inner_text()
    for _ in range(5):
        page.locator(".jp-Notebook .jp-Cell").first.click()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name=re.compile("^Run All Cells")).click()
        try:
            return expect(prompt).not_to_have_text(before, timeout=5 * MS)
        except AssertionError:
            step("the Lab has not run the cells")
    raise AssertionError("the Lab does not run the cells")


def tab(page, name):
    return page.locator(".jupyter-widgets.widget-tab").get_by_text(re.compile(name)).first


def picture(page, name):
    page.mouse.move(0, 0)
    page.locator(".jupyter-widgets.widget-tab").first.scroll_into_view_if_needed()
    path = pictures / f"{len(taken) + 1}-{name}.png"
    page.screenshot(path=path)
    taken.append(str(path))


def look_at(page, name):
    tab(page, name).click()
    return page.locator(".jupyter-widgets.widget-tab .widget-tab-contents > *:visible").first


def configure(page):
    expect(tab(page, "Job Configuration")).to_be_visible(timeout=60 * MS)
    ui = look_at(page, "Job Configuration")
    expect(ui).to_contain_text(order["username"])
    templates = ui.locator(".widget-dropdown", has_text="Job Templates").locator("select")
    templates.select_option(label=order["template"])
    expect(ui).to_contain_text(order["description"])
    step(f"template {order['template']} picked among {templates.locator('option').all_inner_texts()}")
    for title in ("Slurm Computing Configurations", "Input Parameters", "Computing Resource"):
        ui.get_by_text(title, exact=True).first.click()
    for name, value in order["sliders"].items():
        readout = ui.locator(".widget-slider", has_text=name).locator(".widget-readout")
        readout.click()
        page.keyboard.press("Control+A")
        page.keyboard.type(str(value))
        page.keyboard.press("Enter")
        expect(readout).to_have_text(str(value))
    for name, value in order["dropdowns"].items():
        ui.locator(".widget-dropdown", has_text=name).locator("select").select_option(label=value)
    step(f"parameters set: {order['sliders']} {order['dropdowns']}")
    picture(page, "job-configuration")
    ui.get_by_role("button", name="Submit Job").click()
    step("submitted")


def watch(page):
    ui = page.locator(".jupyter-widgets.widget-tab")
    expect(ui).to_contain_text("Your Job is Running!", timeout=30 * MS)
    expect(ui).to_contain_text("your job completed", timeout=120 * MS)
    expect(tab(page, "✅ Download Job Result")).to_be_visible(timeout=30 * MS)
    expect(ui).to_contain_text("Your Job is Finished!", timeout=30 * MS)
    for title in ("See events", "See logs"):
        shown = ui.get_by_text(title, exact=True).locator("visible=true")
        for one in shown.all():
            one.click()
    for text in order["events"] + order["logs"]:
        expect(ui).to_contain_text(text)
    step("the job is finished; events and logs are shown")
    picture(page, "your-job-status")


def download(page):
    ui = look_at(page, "Download Job Result")
    expect(ui).to_contain_text("Download Job Output Files")
    folders = ui.locator("select option").all_inner_texts()
    step(f"folders of the result: {folders}")
    picture(page, "download-job-result")
    return folders


def jobs_and_folders(page):
    """Of the notebook's next run: these two tabs show what there was when the cell ran."""
    run_cells(page)
    expect(tab(page, "Download Job Result")).to_have_text("Download Job Result", timeout=60 * MS)
    ui = look_at(page, "Your Jobs")
    expect(ui).to_contain_text("Recently Submitted Jobs")
    expect(ui.get_by_role("button", name="Restore").first).to_be_visible()
    jobs = re.findall(r"\b\d{10}\w{5}\b", ui.inner_text())
    step(f"the job is in Your Jobs: {jobs[:1]}")
    picture(page, "your-jobs")
    ui = look_at(page, "Past Results")
    expect(ui.get_by_role("button", name="Download Results").first).to_be_visible()
    folders = re.findall(r"\b\d{10}\w{5}\b", ui.inner_text())
    step(f"its folders are in Past Results: {folders}")
    picture(page, "past-results")
    return jobs, folders


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    page = browser.new_page(viewport={"width": 1400, "height": 1500})
    outcome = {"browser": browser.version}
    try:
        log_in(page)
        open_notebook(page)
        run_cells(page)
        configure(page)
        watch(page)
        outcome["results"] = download(page)
        outcome["jobs"], outcome["folders"] = jobs_and_folders(page)
    except Exception as error:
        page.screenshot(path=pictures / "where-it-failed.png")
        outcome["error"] = str(error)
    browser.close()
outcome.update(steps=steps, pictures=taken)
print()
print(json.dumps(outcome))
