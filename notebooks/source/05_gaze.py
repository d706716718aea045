# %% [markdown]
# # 5 · Gaze
#
# Where do the eyes point, how widely do they wander, how often do they leave the camera? Webcam
# gaze is good to several degrees at best: it tells screen from window, not one word from the
# next. Check the model card of your weights before using their gaze.

# %%
import facemt_analysis as fm

fex = fm.datasets.load_sample_study()
recording = "sub-01_funny_1.mp4"

# %% [markdown]
# ## Directions
#
# Angles are relative to the head, in radians: + is up, and + is to the person's right. Unit
# vectors have no poles and no wrapping; in the frame of the camera, head pose is added.

# %%
fex.gazes.describe().loc[["mean", "std", "min", "max"]]

# %%
head = fex.gaze.vectors()
camera = fex.gaze.vectors(frame="camera")
head.shape, camera[0].round(3)

# %% [markdown]
# ## Where
#
# The density over degrees, of one face and of everybody in each film.

# %%
ax = fex.gaze.plot(recording=recording, extent=(-25, 25, -20, 20))

# %%
from facemt_analysis import plotting

density = fex.gaze.heatmap(bins=40, extent=(-25, 25, -20, 20), by="condition", smooth=1.5)
ax = plotting.plot_gaze_density(density, group=1)

# %% [markdown]
# ## How much
#
# `bcea` is the area of the ellipse that holds 68 % of the gaze; entropies say how evenly and how
# predictably the eyes visit the places of a 5° grid. `toward_share` is the share of time within
# 10° of the camera.

# %%
summary = fex.gaze.summary(["subject", "condition"])
summary[["subject", "condition", "bcea", "stationary_entropy", "toward_share", "n_away"]].head(4)

# %% [markdown]
# ## Fixations
#
# At 12 frames a second a fixation has three frames or so. Durations are no finer than a frame.

# %%
fixations = fex.gaze.fixations(dispersion=3, min_duration=0.2, labels=["condition"])
fixations.groupby("condition", observed=True)["duration"].describe()[["count", "50%", "max"]]

# %%
away = fex.gaze.away(threshold=15, min_duration=0.5)
away.head(3)

# %% [markdown]
# ## The head moves too
#
# Head speed comes from rotations between frames, not from differences of angles.

# %%
ax = fex.pose.plot(recording=recording)

# %%
fex.pose.motion("condition").set_index("condition")[
    ["speed_mean", "speed_peak", "still_share", "nod_power", "shake_power"]
]

# %% [markdown]
# ## Did the films differ?
#
# No effect on gaze was planted. A good analysis finds none (and one time in twenty, it does).

# %%
table = fex.stats.compare(["gaze_yaw", "gaze_pitch"], condition="condition")
table[["feature", "estimate", "ci_low", "ci_high", "p_adj", "n_subjects"]]
