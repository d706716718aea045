# %% [markdown]
# # 2 · From raw video to figure
#
# The package comes with a clip of eight seconds (a rendered face that is nobody's) and with small
# open weights, so this notebook needs neither a camera nor a network. For a study take published
# weights, `fm.Detector("face_multitask_v2")`, and read their licence first.

# %%
from tempfile import mkdtemp

import pandas as pd

import facemt_analysis as fm
from facemt_analysis import plotting
from facemt_analysis.demo import CLIP, TRUTH

detector = fm.Detector("open", face_detector="haar")
fex = detector.detect(CLIP, every=5, progress=False)
print(fex.summary())

# %% [markdown]
# ## Look first
#
# A table says nothing about whether the face was found in the right place. A frame does.

# %%
smile = int(fex.loc[fex["AU12"].idxmax(), "frame"])
ax = fex.plot_frame(smile, CLIP, gaze=False)

# %% [markdown]
# Gaze is left out on purpose: look into the model card of the weights (`docs/open_weights.md`)
# before using a column. `fex.info` keeps what made the table, and travels with it into every
# file.

# %%
fex.info

# %% [markdown]
# ## The course of the clip

# %%
ax = fex.au.plot(["AU01", "AU04", "AU06", "AU12", "AU25", "AU26"], on=0.4)

# %%
ax = fex.pose.plot()

# %% [markdown]
# ## How good is it? Here, that is known
#
# The clip was drawn after a script. Agreement with the truth, frame by frame, belongs into every
# validation; on real recordings, the truth comes from human coders. The renderer of
# the clip also drew the training faces of the open weights: real recordings are harder.

# %%
truth = fm.read_fex(TRUTH)
both = fex.merge(truth, on="frame", suffixes=("", "_true"))
aus = ["AU01", "AU02", "AU06", "AU12", "AU25", "AU26"]
pd.Series({au: both[au].corr(both[f"{au}_true"]) for au in aus}, name="r").round(2)

# %%
ax = plotting.plot_timeline(fex, ["AU12", "AU25"], truth=truth)

# %% [markdown]
# ## A figure for print
#
# Inside `paper`, figures have the width of a journal's column, embedded fonts and small lines.

# %%
folder = mkdtemp()
with plotting.paper("single"):
    ax = plotting.plot_timeline(fex, ["AU06", "AU12"])
    ax.figure.savefig(f"{folder}/smile.pdf")

# %% [markdown]
# ## Keep the table, write the methods
#
# The file holds the metadata too. The paragraph says what a reader needs in order to repeat it.

# %%
fex.to_parquet(f"{folder}/clip.parquet")
print(fm.read_fex(f"{folder}/clip.parquet").methods_text())

# %% [markdown]
# `fex.scrub(CLIP)` walks through the clip frame by frame beside its signals, and
# `fex.report("clip.html", CLIP)` writes all of it into one page that opens from disk.
