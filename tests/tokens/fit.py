"""Weights for src/tokens/weights.rs: python fit.py FOLDER (needs: pip install numpy).

FOLDER holds fit.json with counts, and fit.tally.json: TALLY=FOLDER/fit.json cargo test --test tokens
"""

import json
import os
import sys

import numpy

FAMILIES = ["o200k", "cl100k", "claude", "gemini", "qwen", "deepseek", "llama", "mistral"]
WEIGHTS = os.path.join(os.path.dirname(__file__), "..", "..", "src", "tokens", "weights.rs")
# Keeps columns that are rare from taking extreme values.
RIDGE = 0.01


# A discount on what other columns count, or a hint at the language; everything else costs something.
DISCOUNTS = [13, 14, 15, 16, 17, 18, 33, 34, 35, 59, 60, 61, 62, 63]


def solve(square, right, theta):
    """Least squares by coordinates, with costs of 0 or more."""
    theta = theta.copy()
    for _ in range(400):
        for i in range(len(theta)):
            value = theta[i] + (right[i] - square[i] @ theta) / square[i, i]
            theta[i] = value if i in DISCOUNTS else max(0, value)
    return theta


def fit(tallies, kinds, counts):
    # Relative errors count, and every kind of text as much as any other.
    size = {kind: kinds.count(kind) for kind in set(kinds)}
    weight = numpy.array([1 / (count * numpy.sqrt(size[kind])) for kind, count in zip(kinds, counts)])
    weight *= 9
    rows = tallies * weight[:, None]
    scale = numpy.sqrt((rows**2).mean(0)) + 1e-9
    rows = rows / scale
    theta = numpy.zeros(rows.shape[1])
    robust = numpy.ones(len(counts))
    # A few texts are like no others: they shall not decide.
    for _ in range(10):
        w = robust[:, None]
        square = (rows * w).T @ rows + RIDGE * numpy.eye(rows.shape[1])
        theta = solve(square, (rows * w).T @ (counts * weight), theta)
        error = numpy.abs(rows @ theta - counts * weight) / (counts * weight)
        robust = 1 / numpy.maximum(1, error / 0.08)
    return theta / scale


def main(folder):
    texts = json.load(open(f"{folder}/fit.json", encoding="utf8"))
    tallies = numpy.array(json.load(open(f"{folder}/fit.tally.json")), float)
    kinds = [text["kind"] for text in texts]
    with open(WEIGHTS, "w", encoding="utf8") as out:
        out.write("//! Thousandths of a token for each column, by family. Written by tests/tokens/fit.py.\n\n")
        out.write("use super::FEATURES;\n\n/// A row for each family.\n")
        out.write(f"pub(super) const WEIGHTS: [[i16; FEATURES]; {len(FAMILIES)}] = [\n")
        for family in FAMILIES:
            counts = numpy.array([text["tokens"][family] for text in texts], float)
            theta = fit(tallies, kinds, counts)
            error = numpy.abs(tallies @ theta - counts) / counts * 100
            print(f"{family:8} median {numpy.median(error):.1f} p95 {numpy.percentile(error, 95):.1f}")
            row = [int(numpy.clip(round(value * 1000), -32768, 32767)) for value in theta]
            out.write(f"    [ // {family}\n")
            for i in range(0, len(row), 14):
                out.write("        " + " ".join(f"{value}," for value in row[i : i + 14]) + "\n")
            out.write("    ],\n")
        out.write("];\n")


if __name__ == "__main__":
    main(sys.argv[1])
