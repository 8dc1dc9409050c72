"""Foreign XML."""

from io import BytesIO

import pytest

from scopewatch.sources.readers.safe_xml import Record, XmlError, parse_xml, read_records

BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>
<all><Image><URL>&b;</URL></Image></all>"""


def records(text: str | bytes, *names: str) -> list[tuple[str, Record]]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_records(BytesIO(data), frozenset(names or {"Image"})))


def test_entities_are_refused_before_they_are_used() -> None:
    with pytest.raises(XmlError, match="entity declarations"):
        parse_xml(BOMB)
    with pytest.raises(XmlError, match="entity declarations"):
        records(BOMB)


def test_records_hold_attributes_and_texts_without_prefixes() -> None:
    text = """<b:all xmlns:b="x"><b:Image b:id="1">name <b:Time Unit="s"> 5 </b:Time></b:Image>
    <b:Other/><b:Image b:id="2"/></b:all>"""
    assert records(text) == [
        ("Image", {"": "name", "id": "1", "Time": "5"}),
        ("Image", {"": "", "id": "2"}),
    ]


def test_a_document_of_any_length_yields_its_records_one_by_one() -> None:
    text = "<all>" + "".join(f"<Image><URL>{n}.tif</URL></Image>" for n in range(20_000)) + "</all>"
    found = records(text)
    assert len(found) == 20_000
    assert found[-1] == ("Image", {"": "", "URL": "19999.tif"})


@pytest.mark.parametrize(
    "cut", ["</all>", "<Image><URL>b", "<Image><URL>b.tif</URL></Image></all>"]
)
def test_a_document_that_is_still_written_yields_what_is_whole(cut: str) -> None:
    text = "<all><Image><URL>a.tif</URL></Image><Image><URL>b.tif</URL></Image></all>"
    found = records(text[: text.index(cut)])
    assert [record["URL"] for _, record in found] == ["a.tif", "b.tif"][: 1 + (cut == "</all>")]


def test_what_is_no_xml_ends_the_records_before_it() -> None:
    assert records("<all><Image><URL>a</URL></Image><<<") == [("Image", {"": "", "URL": "a"})]
    assert records(b"\x00\x01") == []
    assert records("") == []
    with pytest.raises(XmlError):
        parse_xml("<all")


@pytest.mark.parametrize("encoding", ["utf-9", "utf-7", "big5", "idna"])
def test_an_encoding_that_is_not_read_is_no_crash(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><all><Image/></all>'
    assert records(text.encode()) in ([], [("Image", {"": ""})])


def test_utf_16_with_its_mark_is_read() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><all><Image><URL>\u00e4.tif</URL></Image></all>'
    assert records(text.encode("utf-16"))[0][1]["URL"] == "\u00e4.tif"
