"""The gate's checks as JUnit XML, which every CI system shows."""

import re
import xml.etree.ElementTree as ET

from harness.gate.model import GateReport
from harness.records import GateVerdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: GateReport) -> bytes:
    """One test case a check; FAIL is a failure, INCONCLUSIVE an error, so that neither reads as success."""
    verdicts = [check.verdict for check in report.checks]
    suite = ET.Element(
        "testsuite",
        name="harness gate",
        tests=str(len(verdicts)),
        failures=str(verdicts.count(GateVerdict.FAIL)),
        errors=str(verdicts.count(GateVerdict.INCONCLUSIVE)),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("run_id", report.run_id),
        ("verdict", report.verdict.value),
        ("provider_mode", report.mode_label),
    ):
        ET.SubElement(properties, "property", name=name, value=_plain(value))
    for check in report.checks:
        case = ET.SubElement(suite, "testcase", classname=_plain(report.run_name), name=check.name)
        if check.verdict is GateVerdict.PASS:
            ET.SubElement(case, "system-out").text = _plain(check.sentence)
        else:
            kind = "failure" if check.verdict is GateVerdict.FAIL else "error"
            ET.SubElement(case, kind, type=check.verdict.value, message=_plain(check.sentence))
    ET.indent(suite)
    document: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _plain(text: str) -> str:
    """Without the characters XML cannot carry."""
    return _NOT_XML.sub("?", text)
