# %% [markdown]
# # 10 · Coming from py-feat or OpenFace
#
# Tables that exist already can be analysed here. `fm.read_fex` tells from the content which tool
# made a file, and brings names, units and signs to one form. Both files are made from simulated
# faces first, so that the notebook runs without either tool.

# %%
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

import facemt_analysis as fm

study, truth = fm.simulate_study(1, conditions=("film",), duration=20, fps=25, effects={}, seed=10)
folder = Path(mkdtemp())

# %% [markdown]
# ## py-feat

# %%
study.to_pyfeat(folder / "pyfeat.csv")
text = pd.read_csv(folder / "pyfeat.csv", nrows=2)
text[["input", "frame", "approx_time", "FaceScore", "AU12", "Happy", "Identity"]]

# %% [markdown]
# py-feat writes no exact times; the frame rate gives them. Nothing is guessed.

# %%
pyfeat = fm.read_fex(folder / "pyfeat.csv", fps=25)
print(pyfeat.summary())
print("made by:", pyfeat.info.tool)

# %%
ax = pyfeat.au.plot(["AU06", "AU12", "AU25"])

# %% [markdown]
# ## OpenFace 2
#
# OpenFace counts frames from 1, has intensities from 0 to 5 (`AU12_r`) beside presence
# (`AU12_c`), and writes zeros where no face was found.

# %%
found = (study["track"] >= 0).to_numpy()
openface = pd.DataFrame(
    {
        "frame": study["frame"] + 1,
        "face_id": 0,
        "timestamp": study["time"],
        "confidence": study["FaceScore"],
        "success": found.astype(int),
        "pose_Tx": 0.0,
        "pose_Ty": 0.0,
        "pose_Tz": 600.0,
        "pose_Rx": -study["Pitch"],
        "pose_Ry": study["Yaw"],
        "pose_Rz": -study["Roll"],
    }
)
for au in ["AU04", "AU06", "AU12", "AU25"]:
    openface[f"{au}_r"] = 5 * study[au]
for au in ["AU04", "AU06", "AU12", "AU25"]:
    openface[f"{au}_c"] = (study[au] > 0.5).astype(float)
openface.where(openface.notna(), 0).to_csv(folder / "openface.csv", index=False)

fex = fm.read_fex(folder / "openface.csv")
print(fex.summary())
print("made by:", fex.info.tool)

# %% [markdown]
# Lost faces are NaN again, radians are radians, and + of `Pitch` is up.

# %%
first_lost = fex[~found].iloc[0] if (~found).any() else fex.iloc[0]
first_lost[["frame", "track", "FaceScore", "AU12_r", "Pitch"]]

# %%
np.nanmax(np.abs(fex["Pitch"] - study["Pitch"]))

# %% [markdown]
# ## Intensities are no scores
#
# They are a group of their own, 0 to 5. Presence goes to `aus`, where it is 0 or 1.

# %%
fex.intensities.describe().loc[["mean", "max"]].round(2)

# %%
ax = fex.au.plot(on=0.5)

# %% [markdown]
# ## Two tools side by side
#
# The points lie on a line only because both files were made from the same faces and numbers. With
# real tools they do not: the same name does not make the same number. Compare people within one
# tool; if you must relate tools, correlate, and say so.

# %%
both = pd.DataFrame({"scores": pyfeat["AU12"], "intensities": fex["AU12_r"]}).dropna()
ax = both.plot.scatter("scores", "intensities", s=4)
_ = ax.set(xlabel="AU12, score (0–1)", ylabel="AU12, intensity (0–5)")

# %% [markdown]
# From here on everything is as with own recordings: quality, signals, events, statistics.

# %%
fex.quality.report()[["input", "share_valid", "hz", "n_gaps", "share_usable"]]
