"""Writes python/tauten/data/digits.npz from scikit-learn's copy of the data: `python tools/make_digits.py`."""

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TARGET = Path(__file__).resolve().parent.parent / "python" / "tauten" / "data" / "digits.npz"


def main() -> None:
    """One compressed .npz: images (1797, 8, 8) of 0..16 and labels (1797,), both uint8; the same bytes every time."""
    digits = load_digits()
    arrays = {"images": digits.images.astype(np.uint8), "labels": digits.target.astype(np.uint8)}
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = BytesIO()
            np.lib.format.write_array(buffer, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {len(arrays['labels'])} samples")


if __name__ == "__main__":
    main()
