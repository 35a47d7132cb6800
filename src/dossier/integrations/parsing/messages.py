"""Sentences about what was not read, left out or assumed, in Chinese and English.

Every code that a reader may warn of stands here; `is_gap` marks those that mean that
something visible was not read.
"""

from typing import Final, NamedTuple

from dossier.core.findings import Message
from dossier.integrations.parsing.exceptions import UnreadableReason
from dossier.integrations.parsing.types import ReadWarning

MAX_WARNINGS: Final = 100
_MAX_NAME: Final = 120


class _Words(NamedTuple):
    zh: str
    en: str
    is_gap: bool = False


_WARNINGS: Final = {
    "page-is-a-picture": _Words(
        "此頁為圖片，圖中文字未讀取",
        "the page is a picture; the words in it were not read",
        is_gap=True,
    ),
    "page-is-drawn": _Words(
        "此頁文字以線條繪成，未讀取",
        "the page is drawn as shapes without text; its words were not read",
        is_gap=True,
    ),
    "shapes-not-read": _Words(
        "此頁部分內容以線條繪成，其中若有文字則未讀取",
        "much of the page is drawn as shapes; words in them were not read",
        is_gap=True,
    ),
    "page-without-usable-text": _Words(
        "此頁字形沒有可用的文字對照（no usable text），未讀取",
        "no usable text: the fonts of the page do not say which letters they show",
        is_gap=True,
    ),
    "page-damaged": _Words(
        "此頁損壞，未讀取", "the page is damaged and was not read", is_gap=True
    ),
    "page-content-damaged": _Words(
        "此頁內容部分損壞，可能有文字未讀取",
        "part of the page is damaged; words may be missing",
        is_gap=True,
    ),
    "picture-not-read": _Words(
        "圖片中的文字未讀取（圖片佔頁面 {share}%）",
        "words in pictures were not read (they cover {share} % of the page)",
        is_gap=True,
    ),
    "small-picture-not-read": _Words(
        "圖片中的文字未讀取（圖片佔頁面 {share}%）",
        "words in pictures were not read (they cover {share} % of the page)",
    ),
    "pictures-not-read": _Words(
        "文件含 {count} 張大圖，圖中文字未讀取",
        "the document holds {count} large pictures; the words in them were not read",
        is_gap=True,
    ),
    "small-pictures": _Words(
        "文件含 {count} 張圖片，圖中文字未讀取",
        "the document holds {count} pictures; the words in them were not read",
    ),
    "text-recognised-elsewhere": _Words(
        "掃描頁：文字由其他程式辨識後隱藏於圖片之上，請對照圖片",
        "a scan: its text was recognised by another program; check it by the picture",
        is_gap=True,
    ),
    "hidden-text-left-out": _Words(
        "看不見的文字（隱形、與底色相同、被遮蓋或在頁面外）共 {count} 字，未採用",
        "{count} characters of hidden text (invisible, in the colour of its ground,"
        " covered or off the page) were left out",
    ),
    "struck-text-left-out": _Words(
        "刪除線文字共 {count} 字，未採用",
        "{count} characters that are struck through were left out",
    ),
    "tracked-changes": _Words(
        "文件含追蹤修訂：已納入插入、排除刪除；定稿前請接受或拒絕修訂",
        "the document has tracked changes: insertions are read, deletions left out;"
        " accept or reject them before it is final",
    ),
    "attachment-not-read": _Words(
        "內含附件「{name}」，未讀取（not read）；請另行上傳",
        "the attachment {name!r} inside it was not read; hand it in as a file",
        is_gap=True,
    ),
    "portfolio-not-read": _Words(
        "此為 PDF 作品集，內含文件未讀取（not read）",
        "it is a PDF portfolio: its cover was read, the files inside were not read",
        is_gap=True,
    ),
    "embedded-not-read": _Words(
        "內嵌物件「{name}」未讀取（not read）",
        "the embedded object {name!r} was not read",
        is_gap=True,
    ),
    "part-not-read": _Words(
        "文件的一部分「{name}」未讀取（not read）",
        "a part of the document, {name!r}, was not read",
        is_gap=True,
    ),
    "form-fields": _Words(
        "此頁有 {count} 個表單欄位，已讀取欄內的值（其中 {empty} 個空白）",
        "{count} form fields were read with their values, {empty} of them empty",
    ),
    "form-not-read": _Words(
        "動態表單（XFA）的內容未讀取；請列印為 PDF",
        "its dynamic form (XFA) was not read; print it to a PDF",
        is_gap=True,
    ),
    "symbol-not-known": _Words(
        "{count} 個符號字型字元無法對應，以 \ufffd 代替",
        "{count} characters of symbol fonts are not known; \ufffd stands for them",
    ),
    "text-missing": _Words(
        "文件含 {present} 字，僅讀取 {read} 字",
        "the document holds {present} characters, of which {read} were read",
        is_gap=True,
    ),
    "file-ends-early": _Words(
        "檔案結尾不完整，可能缺頁；請重新儲存",
        "the file ends early and pages may be missing; save it again",
        is_gap=True,
    ),
    "too-many-warnings": _Words(
        "另有 {count} 則提醒未列出", "{count} more warnings are not listed"
    ),
}

REASONS_ZH: Final = {
    UnreadableReason.ENCRYPTED: "檔案有密碼保護，請另存無密碼版本",
    UnreadableReason.CORRUPT: "檔案損壞，無法開啟；請重新儲存或匯出",
    UnreadableReason.EMPTY: "檔案沒有內容",
    UnreadableReason.TOO_LARGE: "檔案過大，請拆分",
    UnreadableReason.ZIP_BOMB: "壓縮檔解開後遠大於原檔，拒絕開啟",
    UnreadableReason.TIMEOUT: "讀取時間過長而中止，請簡化或拆分檔案",
    UnreadableReason.MEMORY: "讀取所需記憶體過多而中止，請簡化或拆分檔案",
    UnreadableReason.UNSUPPORTED: "不讀取此種檔案；請另存為 PDF、Word、試算表或文字檔",
    UnreadableReason.UNDECODABLE: "文字編碼無法確認，請另存為 UTF-8",
    UnreadableReason.NO_TEXT_LAYER: "沒有可用的文字（圖片或無對照字形），無法讀取",
}


def warning(code: str, place: str | None = None, **values: object) -> ReadWarning:
    """Return the warning of a code, its sentences filled with values."""
    words = _WARNINGS[code]
    shown = {
        name: value[:_MAX_NAME] if isinstance(value, str) else value
        for name, value in values.items()
    }
    message = Message(zh=words.zh.format(**shown), en=words.en.format(**shown))
    return ReadWarning(code, message, place, words.is_gap)


def refusal(reason: UnreadableReason, detail: str, zh: str) -> ReadWarning:
    """Return the reason why nothing was read as a warning."""
    return ReadWarning(
        f"unreadable-{reason.replace('_', '-')}",
        Message(zh=zh or REASONS_ZH[reason], en=detail),
        is_gap=True,
    )


def limited(warnings: list[ReadWarning]) -> list[ReadWarning]:
    """Return the first warnings, and a count of the others: those of gaps first."""
    if len(warnings) <= MAX_WARNINGS:
        return warnings
    ordered = sorted(warnings, key=lambda each: not each.is_gap)
    rest = warning("too-many-warnings", count=len(warnings) - MAX_WARNINGS)
    return [*ordered[:MAX_WARNINGS], rest]
