"""Adds the counts of Mistral's tokenizer to a file of texts: python count_mistral.py FILE
(needs: pip install mistral-common)."""

import glob
import json
import os
import sys

import mistral_common
from mistral_common.tokens.tokenizers.tekken import Tekkenizer

data = os.path.join(os.path.dirname(mistral_common.__file__), "data")
tokenizer = Tekkenizer.from_file(sorted(glob.glob(data + "/tekken_*.json"))[-1])
with open(sys.argv[1], encoding="utf8") as file:
    texts = json.load(file)
for text in texts:
    text["tokens"]["mistral"] = len(tokenizer.encode(text["text"], bos=False, eos=False))
lines = ",\n".join(json.dumps(text, ensure_ascii=False) for text in texts)
with open(sys.argv[1], "w", encoding="utf8") as file:
    file.write(f"[{lines}]\n")
