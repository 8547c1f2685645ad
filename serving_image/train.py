"""Trains the served classifier and writes everything that is derived from it: model, features, goldens.

Run it with the serving environment's interpreter, from the checkout:

    python serving_image/train.py [--out FOLDER]

The data set is Wisconsin Diagnostic Breast Cancer, which ships with scikit-learn: 30 measurements of cell
nuclei, 10 characteristics each as a mean, a standard error and a worst case. A request carries the 10 means;
the other 20 come from the feature store, so no prediction is right without it.

Writes, below FOLDER (default: this folder):

    model_repository/classifier/1/model.onnx           scaling, logistic regression and the label's threshold
    model_repository/feature_lookup/1/fallback.json    training means, served where the store gives no row
    model_repository/feature_lookup/1/limits.json      what each measurement may be
    features/held_out.json                             the store's rows of the held-out entities
    golden/predictions.json                            requests, expected answers, tolerance, accuracy
    model_repository/tumour_risk/1/goldens.json        that file's digest, count and tolerance
    model_repository/tumour_risk/1/self_check.json     what a server asks itself before it is ready
    lineage.json                                       this program, its packages, the data and the metrics

and prints the held-out accuracy. The split's seed is fixed and the solver is deterministic, so the same package
versions give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

# These live in the serving environment only (see requirements.in), never in the main one.
import numpy as np  # pyright: ignore[reportMissingImports]
from onnx import TensorProto, checker, helper, numpy_helper  # pyright: ignore[reportMissingImports]
from skl2onnx import to_onnx  # pyright: ignore[reportMissingImports]
from skl2onnx.common.data_types import FloatTensorType  # pyright: ignore[reportMissingImports]
from sklearn.datasets import load_breast_cancer  # pyright: ignore[reportMissingImports]
from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingImports]
from sklearn.model_selection import train_test_split  # pyright: ignore[reportMissingImports]
from sklearn.pipeline import make_pipeline  # pyright: ignore[reportMissingImports]
from sklearn.preprocessing import StandardScaler  # pyright: ignore[reportMissingImports]

SEED = 42
HELD_OUT_FRACTION = 0.2
MEASUREMENTS = 10
"""The first ten columns (the means) travel in the request; the rest is looked up."""
TOLERANCE = 1e-4
"""Largest accepted difference of a probability: float32 against float64 gives about 1e-6, a GPU somewhat more;
an answer from the fallback features is off by far more."""
OPSET = 17
"""Old enough for every onnxruntime that the pinned servers carry, and has all operators of the pipeline."""
LABELS = ("malignant", "benign")
THRESHOLD = 0.5
"""A sample is called malignant from this probability on; part of the graph, and so of what the goldens prove."""
LARGEST_TIMES = 3
"""A measurement may be so many times the largest of the data set: beyond it lies a wrong unit, not a patient."""
SELF_CHECK_ENTITY = "seawall-self-check"
"""What the lookup gives the training means, without a read."""
SELF_CHECK_ROWS = 4
CLEAR = 0.1
MADE = (
    "feature_lookup/1/fallback.json",
    "feature_lookup/1/limits.json",
    "tumour_risk/1/goldens.json",
    "tumour_risk/1/self_check.json",
)
"""What is made beside the model itself, in the model repository."""
PACKAGES = ("numpy", "onnx", "scikit-learn", "skl2onnx")
"""What decides, beside this file, which bytes the model has."""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the served classifier.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="where to write")
    out: Path = parser.parse_args().out

    data = load_breast_cancer()
    ids = np.array([f"patient-{row:04d}" for row in range(len(data.target))])
    # The features are rounded to float32 before training: that is what a request and the store carry.
    x = data.data.astype(np.float32)
    x_train, x_test, y_train, y_test, _, test_ids = train_test_split(
        x, data.target, ids, test_size=HELD_OUT_FRACTION, random_state=SEED, stratify=data.target
    )
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    pipeline.fit(x_train.astype(np.float64), y_train)
    probabilities = pipeline.predict_proba(x_test.astype(np.float64))
    predicted = probabilities.argmax(axis=1)
    accuracy = float((predicted == y_test).mean())

    names = [str(name) for name in data.feature_names]
    model = to_onnx(
        pipeline,
        initial_types=[("features", FloatTensorType([None, x.shape[1]]))],
        options={"zipmap": False},
        target_opset=OPSET,
        name="tumour_risk",
    )
    model_file = out / "model_repository" / "classifier" / "1" / "model.onnx"
    model_file.parent.mkdir(parents=True, exist_ok=True)
    model_file.write_bytes(with_label(model).SerializeToString())

    means = x_train[:, MEASUREMENTS:].astype(np.float64).mean(axis=0)
    write_json(
        out / "model_repository" / "feature_lookup" / "1" / "limits.json",
        {
            "measurements": names[:MEASUREMENTS],
            "largest": [float(f"{LARGEST_TIMES * most:.3g}") for most in data.data[:, :MEASUREMENTS].max(axis=0)],
        },
    )
    write_json(
        out / "model_repository" / "feature_lookup" / "1" / "fallback.json",
        {"features": names[MEASUREMENTS:], "means": [round(float(mean), 6) for mean in means]},
    )
    order = np.argsort(test_ids)
    write_json(
        out / "features" / "held_out.json",
        {
            "features": names[MEASUREMENTS:],
            "entities": {str(test_ids[i]): _row(x_test[i, MEASUREMENTS:]) for i in order},
        },
    )
    goldens = out / "golden" / "predictions.json"
    write_json(
        goldens,
        {
            "model": "tumour_risk",
            "tolerance": TOLERANCE,
            "held_out_accuracy": round(accuracy, 6),
            "measurements": names[:MEASUREMENTS],
            "predictions": [
                {
                    "entity_id": str(test_ids[i]),
                    "measurements": _row(x_test[i, :MEASUREMENTS]),
                    "probability": round(float(probabilities[i, 0]), 7),
                    "label": LABELS[int(predicted[i])],
                }
                for i in order
            ],
        },
    )
    write_self_check(out, pipeline, x_test[order, :MEASUREMENTS], means)
    # In the release, so that whoever pins its digest pins what it must answer.
    write_json(
        out / "model_repository" / "tumour_risk" / "1" / "goldens.json",
        {
            "sha256": sha256(goldens),
            "predictions": len(order),
            "tolerance": TOLERANCE,
        },
    )
    write_json(
        out / "lineage.json",
        {
            "schema_version": 1,
            "trainer": {
                "program": "serving_image/train.py",
                "sha256": sha256(Path(__file__)),
                "python": platform.python_version(),
                "packages": {name: version(name) for name in PACKAGES},
            },
            "data": {
                "name": "Wisconsin Diagnostic Breast Cancer, as scikit-learn ships it",
                "sha256": hashlib.sha256(data.data.tobytes() + data.target.tobytes()).hexdigest(),
                "rows": len(data.target),
            },
            "metrics": {"held_out_accuracy": round(accuracy, 6), "held_out_rows": len(y_test)},
            "outputs": {
                path.relative_to(out / "model_repository").as_posix(): sha256(path)
                for path in (model_file, *(out / "model_repository" / made for made in MADE))
            },
        },
    )
    print(f"trained on {len(y_train)} rows; held-out accuracy {accuracy:.4f} on {len(y_test)} rows")


def with_label(model: Any) -> Any:
    """The graph with the answer that clients read: the probability of a malignant sample, and its label."""
    graph = model.graph
    # The pipeline names the most likely class, by number; nothing reads it any more.
    for output in list(graph.output):
        if output.name != "probabilities":
            graph.output.remove(output)
            for node in graph.node:
                node.output[:] = ["class_number" if name == output.name else name for name in node.output]
                node.input[:] = ["class_number" if name == output.name else name for name in node.input]
    del graph.output[:]
    constants = {
        "column": np.array([0], dtype=np.int64),
        "threshold": np.array(THRESHOLD, dtype=np.float32),
        "malignant": np.array([LABELS[0].encode()], dtype=np.object_),
        "benign": np.array([LABELS[1].encode()], dtype=np.object_),
    }
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.node.extend(
        [
            helper.make_node("Gather", ["probabilities", "column"], ["probability"], axis=1),
            helper.make_node("GreaterOrEqual", ["probability", "threshold"], ["is_malignant"]),
            helper.make_node("Where", ["is_malignant", "malignant", "benign"], ["label"]),
        ]
    )
    graph.output.extend(
        [
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 1]),
            helper.make_tensor_value_info("label", TensorProto.STRING, ["rows", 1]),
        ]
    )
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "rows"
    for opset in model.opset_import:
        if opset.domain == "":
            opset.version = max(opset.version, OPSET)
    checker.check_model(model)
    return model


def write_self_check(out: Path, pipeline: Any, measurements: Any, means: Any) -> None:
    """A request of an entity that has the training means, and its answer, as Triton's HTTP API has them."""
    features = np.concatenate([measurements, np.tile(means.astype(np.float32), (len(measurements), 1))], axis=1)
    all_probabilities = pipeline.predict_proba(features.astype(np.float64))[:, 0]
    # Not one whose label the last digit decides: some of each label.
    chosen = np.flatnonzero(abs(all_probabilities - THRESHOLD) > CLEAR)[:SELF_CHECK_ROWS]
    measurements, rows = measurements[chosen], len(chosen)
    probabilities = [round(float(p), 7) for p in all_probabilities[chosen]]
    tensors = {
        "entity_id": ("BYTES", 1, [SELF_CHECK_ENTITY] * rows),
        "measurements": ("FP32", MEASUREMENTS, [value for row in measurements for value in _row(row)]),
    }
    answers = {
        "probability": probabilities,
        "label": [LABELS[0] if probability >= THRESHOLD else LABELS[1] for probability in probabilities],
        "features_source": ["training_means"] * rows,
    }
    write_json(
        out / "model_repository" / "tumour_risk" / "1" / "self_check.json",
        {
            "model": "tumour_risk",
            "tolerance": TOLERANCE,
            "inputs": [
                {"name": name, "datatype": kind, "shape": [rows, width], "data": values}
                for name, (kind, width, values) in tensors.items()
            ],
            "outputs": answers,
        },
    )


def _row(values: Any) -> list[float]:
    """Shortest decimals that round to the same float32."""
    return [float(str(value)) for value in values]


if __name__ == "__main__":
    main()
