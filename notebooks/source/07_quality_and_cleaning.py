# %% [markdown]
# # 7 · Quality and cleaning
#
# Faces turn away, hands come up, cameras stutter. What to leave out is decided before looking at
# the result, and written down.

# %%
import numpy as np

import facemt_analysis as fm
from facemt_analysis import plotting

study, truth = fm.simulate_study(
    6,
    duration=20,
    fps=25,
    jitter=0.3,
    missing=0.08,
    missing_run=0.5,
    feature_groups=["faceboxes", "poses", "aus", "emotions", "va"],
    seed=7,
)

# %% [markdown]
# Three things go wrong in this study: person 2 turns away for three seconds, person 4 sits far
# from the camera, and the face detector is unsure about a stretch of person 5.

# %%
seen = study["track"] >= 0
turned = seen & (study["subject"] == "sub-02") & study["time"].between(8, 11)
far = seen & (study["subject"] == "sub-04")
unsure = seen & (study["subject"] == "sub-05") & study["time"].between(2, 5)
fex = study.assign(
    Yaw=study["Yaw"].mask(turned, np.float32(0.8)),
    FaceRectWidth=study["FaceRectWidth"].mask(far, 40),
    FaceRectHeight=study["FaceRectHeight"].mask(far, 52),
    FaceScore=study["FaceScore"].mask(unsure, 0.45),
)

# %% [markdown]
# ## Report
#
# One row per recording, and the same in words.

# %%
columns = ["input", "share_valid", "gap_longest", "hz", "jitter", "face_px_median", "share_usable"]
fex.quality.report()[columns]

# %%
findings = fex.quality.findings()
for text in findings.loc[findings["severity"] != "info", "message"].head(6):
    print("-", text)

# %%
axes = fex.quality.plot()

# %% [markdown]
# ## Exclude
#
# Flagged rows lose their features, but stay as rows: the time axis keeps its length. Recordings
# with a serious finding go as a whole. The log knows the limits and the counts.

# %%
clean = fex.quality.exclude(yaw_deg=30, drop="serious")
clean.info.log[-1]

# %% [markdown]
# ## Fill short gaps, smooth, and put all on one clock
#
# A line over 0.2 s is a fair guess; over two seconds it is an invention. Long gaps stay.

# %%
ready = clean.signal.interpolate(max_gap=0.2).signal.smooth(window=0.3).signal.resample(20)
recording = "sub-02_funny_1.mp4"
ax = plotting.plot_timeline(fex.select(recording), ["AU12"], colours=["0.7"], legend=False)
ax = plotting.plot_timeline(ready.select(recording), ["AU12"], legend=False, ax=ax)
_ = ax.set_title("Raw (grey) and cleaned")

# %% [markdown]
# ## Confounds
#
# Nods move the brows in the picture, speech moves the mouth. The table says how much, and what to
# do. Nothing of the kind was planted here.

# %%
clean.quality.confounds().head(4)

# %% [markdown]
# ## Does the answer depend on the cleaning?
#
# The one figure every reviewer wants: the effect with and without each step.

# %%
import pandas as pd

steps = {"raw": fex, "excluded": clean, "excluded and smoothed": ready}
rows = [
    table.stats.compare("AU12", condition="condition", missing="ignore").assign(feature=name)
    for name, table in steps.items()
]
ax = plotting.plot_estimates(pd.concat(rows, ignore_index=True), label="AU12, funny − neutral")

# %% [markdown]
# ## The paragraph for the paper

# %%
print(ready.methods_text())
