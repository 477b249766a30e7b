"""Has LibreOffice write the office files: `office.py OUT`, with Debian's python3 (module `uno`)."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

from sources import DRAWINGS, MACRO, SHEETS, SLIDES, TEXTS

# com.sun.star.script.ModuleType.NORMAL
VBA_NORMAL_MODULE = 1
PDF_A1, PDF_A2, PDF_A3 = ([("SelectPdfVersion", part)] for part in (1, 2, 3))
# Harmless and public, as in build.sh.
PASSWORD = {"Password": "Kawasaki2024"}

# source, output, filter, options of the PDF export, other properties of the export
JOBS = [
    (TEXTS, "drainage-plan", "pdf/drainage-plan.pdf", "writer_pdf_Export", [], None),
    (TEXTS, "business-plan", "pdf/business-plan.pdf", "writer_pdf_Export", PDF_A2, None),
    (TEXTS, "sponsorship-vertical", "pdf/sponsorship-vertical.pdf", "writer_pdf_Export", [], None),
    (TEXTS, "collection-request", "tmp/collection-request.pdf", "writer_pdf_Export", [], None),
    (TEXTS, "sponsorship-request", "docx/sponsorship-request.docx", "MS Word 2007 XML", None, None),
    (TEXTS, "donation-form", "docx/donation-form.docx", "MS Word 2007 XML", None, None),
    (TEXTS, "traffic-class", "doc/traffic-class.doc", "MS Word 97", None, None),
    (TEXTS, "pool-inspection", "odt/pool-inspection.odt", "writer8", None, None),
    (TEXTS, "correction-request", "rtf/correction-request.rtf", "Rich Text Format", None, None),
    (SHEETS, "preliminary-survey", "xlsx/preliminary-survey.xlsx", "Calc MS Excel 2007 XML", None, None),
    (SHEETS, "rent-subsidy", "xlsx/rent-subsidy.xlsx", "Calc MS Excel 2007 XML", None, None),
    (SHEETS, "guarantee-subsidy", "xls/guarantee-subsidy.xls", "MS Excel 97", None, None),
    (SHEETS, "nature-class", "ods/nature-class.ods", "calc8", None, None),
    (SHEETS, "waste-reduction", "xlsm/waste-reduction.xlsm", "Calc MS Excel 2007 VBA XML", None, None),
    (SHEETS, "childcare", "csv/childcare-sjis.csv", "Text - txt - csv (StarCalc)", None,
     {"FilterOptions": "44,34,64,1"}),
    (SLIDES, "event-outline", "pptx/event-outline.pptx", "Impress MS PowerPoint 2007 XML", None, None),
    (TEXTS, "yearly-plan", "pdf/archive-a1b.pdf", "writer_pdf_Export", PDF_A1, None),
    (TEXTS, "accident-report", "pdf/archive-a3b.pdf", "writer_pdf_Export", PDF_A3, None),
    (TEXTS, "house-rules", "tmp/house-rules.pdf", "writer_pdf_Export", [], None),
    (TEXTS, "account-form", "tmp/account-form.docx", "MS Word 2007 XML", None, None),
    (TEXTS, "drainage-done", "docx/drainage-done.docx", "MS Word 2007 XML", None, None),
    (TEXTS, "hearing-claim", "doc/hearing-claim.doc", "MS Word 97", None, None),
    (TEXTS, "photo-entry", "rtf/photo-entry.rtf", "Rich Text Format", None, None),
    (SHEETS, "colours", "ods/facade-colours.ods", "calc8", None, None),
    (TEXTS, "accident-report", "docx/accident-report.docx", "MS Word 2007 XML", None, None),
    (TEXTS, "enrolment-report", "docx/enrolment-report.docx", "MS Word 2007 XML", None, None),
    (TEXTS, "minutes", "docx/minutes.docx", "MS Word 2007 XML", None, None),
    (TEXTS, "development-outline", "docx/development-outline.docx", "MS Word 2007 XML", None, None),
    (TEXTS, "vaccination", "tmp/vaccination.docx", "MS Word 2007 XML", None, None),
    (TEXTS, "signboard-change", "pdf/signboard-change.pdf", "writer_pdf_Export", [], None),
    (SHEETS, "budget", "xlsx/association-budget.xlsx", "Calc MS Excel 2007 XML", None, None),
    (SHEETS, "daylight", "ods/daylight.ods", "calc8", None, None),
    (SHEETS, "drainage-calculation", "xlsm/drainage-calculation.xlsm", "Calc MS Excel 2007 VBA XML", None, None),
    (TEXTS, "food-consent", "doc/consent-password.doc", "MS Word 97", None, PASSWORD),
    (TEXTS, "building-question", "odt/question-password.odt", "writer8", None, PASSWORD),
    (TEXTS, "tank-removal", "fodt/tank-removal.fodt", "OpenDocument Text Flat XML", None, None),
    (TEXTS, "proxy", "dotx/proxy-form.dotx", "MS Word 2007 XML Template", None, None),
    (SHEETS, "waste-reduction", "xls/waste-macro.xls", "MS Excel 97", None, None),
    (SHEETS, "roster", "xls/roster-password.xls", "MS Excel 97", None, PASSWORD),
    (SHEETS, "rent-report", "xltx/rent-report.xltx", "Calc MS Excel 2007 XML Template", None, None),
    (SHEETS, "facilities", "xml/facilities-2003.xml", "MS Excel 2003 XML", None, None),
    (SHEETS, "facilities", "html/facilities.html", "HTML (StarCalc)", None, None),
    (SLIDES, "nature-guide", "ppt/nature-guide.ppt", "MS PowerPoint 97", None, None),
    (SLIDES, "tama-memories", "odp/tama-memories.odp", "impress8", None, None),
    (SLIDES, "donation-plan", "tmp/donation-plan.pptx", "Impress MS PowerPoint 2007 XML", None, None),
    (DRAWINGS, "tank-site", "odg/tank-site.odg", "draw8", None, None),
    (DRAWINGS, "drainage-a1", "pdf/plan-a1.pdf", "draw_pdf_Export", [], None),
]
WITH_MACRO = {"xlsm/waste-reduction.xlsm", "xlsm/drainage-calculation.xlsm", "xls/waste-macro.xls"}


def prop(name, value):
    return PropertyValue(Name=name, Value=value)


def connect(pipe, process):
    """The desktop of a LibreOffice that may still be starting; gives up after a minute."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(600):
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        except NoConnectException:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise SystemExit("soffice did not start")


def add_macro(document):
    """Puts one harmless macro into the document's own Basic library, in VBA mode, so that it is exported."""
    libraries = document.BasicLibraries
    libraries.VBACompatibilityMode = True
    libraries.ProjectName = "VBAProject"
    library = libraries.createLibrary("VBAProject")
    info = uno.createUnoStruct("com.sun.star.script.ModuleInfo")
    info.ModuleType = VBA_NORMAL_MODULE
    library.insertModuleInfo("Module1", info)
    library.insertByName("Module1", MACRO)


def convert(desktop, folder, job, out):
    sources, name, target, filter_name, pdf, properties = job
    source = folder / f"{name}.xml"
    source.write_text(sources[name], encoding="utf-8")
    document = desktop.loadComponentFromURL(source.as_uri(), "_blank", 0, (prop("Hidden", True),))
    if target in WITH_MACRO:
        add_macro(document)
    options = [prop("FilterName", filter_name)]
    if pdf:
        data = tuple(prop(key, value) for key, value in pdf)
        options.append(prop("FilterData", uno.Any("[]com.sun.star.beans.PropertyValue", data)))
    options += [prop(key, value) for key, value in (properties or {}).items()]
    path = out / target
    path.parent.mkdir(parents=True, exist_ok=True)
    document.storeToURL(path.as_uri(), tuple(options))
    document.close(True)


def main():
    out = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pipe = f"corpus{os.getpid()}"
        process = subprocess.Popen([
            "soffice", "--headless", "--norestore", "--nologo",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}", f"--accept=pipe,name={pipe};urp;",
        ])
        try:
            desktop = connect(pipe, process)
            for job in JOBS:
                convert(desktop, folder, job, out)
            desktop.terminate()
            process.wait(timeout=60)
        finally:
            process.kill()


main()
