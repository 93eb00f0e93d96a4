"""Texts to calibrate estimates of tokens with, from packages of Debian, PyPI and Rust.

    python corpus.py FOLDER      # needs: apt-get, and pip install django wagtail
                                 # djangorestframework django-oscar django-allauth

Manual pages, a handbook and most translations are calibrated with and not kept; what is held out
for tests/tokens.rs comes from other sources (translations of Django, BSD-3-Clause, and of
django-allauth, MIT; crates under MIT or Apache-2.0; this project's own files) and stands in
held_out.json.
"""

import glob
import gzip
import hashlib
import html
import importlib.util
import json
import os
import random
import re
import subprocess
import sys

import django

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
CRATES = os.path.expanduser("~/.cargo/registry/src/*/*")
LANGUAGES = {
    "de": ("manpages-de", "de"),
    "es": ("manpages-es", "es"),
    "fr": ("manpages-fr", "fr"),
    "ja": ("manpages-ja", "ja"),
    "pl": ("manpages-pl", "pl"),
    "pt": ("manpages-pt-br", "pt_BR"),
    "ru": ("manpages-ru", "ru"),
    "tr": ("manpages-tr", "tr"),
    "zh": ("manpages-zh", "zh_Hans"),
    "ko": (None, "ko"),
    "ar": (None, "ar"),
}
#: What of Debian's handbook is in which language.
HANDBOOK = {
    "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "ja": "ja-JP", "pl": "pl-PL", "pt": "pt-BR",
    "ru": "ru-RU", "tr": "tr-TR", "zh": "zh-CN", "ar": "ar-MA", "en": "en-US",
}
ENGLISH = re.compile(r"\b(the|of|and|is|to|that|which|with|for|are|this)\b", re.I)
random.seed(7)


def plain(roff):
    """A manual page without its markup."""
    lines = []
    for line in roff.split("\n"):
        if line.startswith(('.\\"', "'\\\"", ".TH", ".so", ".nf", ".fi", ".EX", ".EE")):
            continue
        line = re.sub(r"^\.[A-Z][A-Z]?\s?", "", line)
        if line.startswith("."):
            continue
        line = re.sub(r"\\f[BIRPCW]|\\f\(..|\\&|\\:|\\/|\\c|\\s[-+]?\d", "", line)
        line = line.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\")
        line = re.sub(r"\\\(..|\\\[[^]]*\]", "", line).replace("\\ ", " ")
        lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def unpack(folder, package):
    subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    deb = glob.glob(f"{folder}/{package}_*.deb")[0]
    subprocess.run(["dpkg", "-x", deb, f"{folder}/{package}"], check=True)


def handbook(folder, kind):
    """Paragraphs of Debian's handbook, in pieces; what nobody has translated is left out."""
    said = {}
    for file in sorted(glob.glob(f"{folder}/debian-handbook/**/{HANDBOOK[kind]}/*.html", recursive=True)):
        found = re.findall(r'<(?:p|div class="para")>(.*?)</(?:p|div)>', open(file, encoding="utf8").read(), re.S)
        for text in found:
            text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", text))).strip()
            is_other = kind == "en" or len(ENGLISH.findall(text)) <= len(text) / 80
            if len(text) > 80 and is_other:
                said[text] = None
    return list(pieces(said, 2500, ["\n\n"]))


def manual_pages(folder, package, chinese):
    unpack(folder, package)
    pages = glob.glob(f"{folder}/{package}/usr/share/man/**/*.gz", recursive=True)
    random.shuffle(pages)
    for page in sorted(pages, key=lambda _: random.random()):
        if chinese and "zh_CN" not in page:
            continue
        try:
            yield plain(gzip.open(page).read().decode("utf8"))
        except (OSError, UnicodeDecodeError):
            continue


def translations(locale, package="django"):
    """What a package says in a language, sentences first, in pieces of some 1500 characters."""
    root = os.path.dirname(importlib.util.find_spec(package).origin)
    said = []
    for file in sorted(glob.glob(f"{root}/**/locale/{locale}/LC_MESSAGES/*.po", recursive=True)):
        for block in open(file, encoding="utf8").read().split("\n\n"):
            found = re.search(r'^msgstr(?:\[0\])? ((?:".*"\s*)+)', block, re.M)
            text = "".join(re.findall(r'"(.*)"', found.group(1))) if found else ""
            text = text.replace('\\"', '"').replace("\\n", "\n").strip()
            if len(text) > (12 if locale in ("ja", "zh_Hans", "ko") else 30) and "Project-Id" not in text:
                said.append(text)
    random.shuffle(said)
    return pieces(dict.fromkeys(said), 1300, ["\n", " ", "\n\n"])


def pieces(texts, size, between):
    piece = ""
    for text in texts:
        piece += text + random.choice(between)
        if len(piece) > size:
            yield piece.strip()
            piece = ""


def files(pattern, suffix):
    found = [f for folder in sorted(glob.glob(CRATES)) for f in sorted(glob.glob(folder + pattern, recursive=True))]
    found = [f for f in found if f.endswith(suffix)]
    random.shuffle(found)
    for file in found:
        yield open(file, errors="ignore").read()


def pages_in_english():
    for text in files("/*.md", ".md"):
        text = re.sub(r"```.*?```", "", text, flags=re.S)
        text = re.sub(r"\[!\[.*?\n", "", text)
        if "## [" not in text and "Copyright" not in text:
            yield re.sub(r"https?://\S+", "", text)


def cut(texts, size, count):
    kept = []
    for text in texts:
        if len(text) > 600:
            start = random.randrange(max(1, len(text) - size))
            kept.append(text[start : start + size])
        if len(kept) == count:
            break
    return kept


def chats():
    lines = open(f"{PROJECT}/tests/complexity/prompts.tsv", encoding="utf8").read().splitlines()
    said = [line.split("\t", 2)[2] for line in lines]
    random.shuffle(said)
    return ["\n".join(said[i : i + 6]) for i in range(0, len(said), 6)]


def held(text):
    return int(hashlib.md5(text.encode()).hexdigest(), 16) % 2 == 1


def main(folder):
    os.makedirs(folder, exist_ok=True)
    fit, hold = [], []

    def share(kind, texts, kept):
        out = [text for text in texts if held(text)]
        hold.extend({"kind": kind, "text": text} for text in out[:kept])
        fit.extend({"kind": kind, "text": text} for text in texts if text not in out[:kept])

    for kind, (package, locale) in LANGUAGES.items():
        if package:
            pages = (page[:4000] for page in manual_pages(folder, package, kind == "zh"))
            fit.extend({"kind": kind, "text": text} for text in cut(pages, 4000, 40))
        share(kind, list(translations(locale)), 4)
        for other in ("wagtail", "rest_framework", "oscar"):
            fit.extend({"kind": kind, "text": text} for text in list(translations(locale, other))[:15])
        hold.extend({"kind": kind, "text": text} for text in list(translations(locale, "allauth"))[:4])
    unpack(folder, "debian-handbook")
    for kind in HANDBOOK:
        most = 30 if kind in ("de", "es", "fr", "pl", "pt", "tr", "en") else 15
        said = handbook(folder, kind)
        random.shuffle(said)
        fit.extend({"kind": kind, "text": text} for text in said[:most])
    share("en", cut(pages_in_english(), 4000, 80), 0)
    share("en", list(translations("en")), 0)
    share("en", cut(pages_in_english(), 1500, 40), 6)
    code = cut(files("/src/**/*.rs", ".rs"), 4000, 60)
    python = sorted(glob.glob(os.path.dirname(django.__file__) + "/**/*.py", recursive=True))
    random.shuffle(python)
    code += cut((open(f, errors="ignore").read() for f in python), 4000, 60)
    share("code", code, 0)
    share("code", cut(files("/src/**/*.rs", ".rs"), 1500, 12) + cut((open(f, errors="ignore").read() for f in python), 1500, 12), 8)
    fixtures = sorted(glob.glob(f"{PROJECT}/tests/fixtures/**/*.json", recursive=True))
    random.shuffle(fixtures)
    share("json", cut((open(f).read() for f in fixtures), 3000, 80), 0)
    share("json", cut((open(f).read() for f in reversed(fixtures)), 1500, 12), 6)
    share("chat", chats(), 6)
    # What is held out is not calibrated with, not even in another piece.
    known = {text["text"] for text in hold}
    fit = [text for text in fit if text["text"] not in known]
    for name, texts in (("fit", fit), ("held_out", hold)):
        json.dump(texts, open(f"{folder}/{name}.json", "w"), ensure_ascii=False, indent=0)
        print(name, len(texts), "texts,", sum(len(t["text"]) for t in texts), "characters")


if __name__ == "__main__":
    main(sys.argv[1])
