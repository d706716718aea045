# %% [markdown]
# # 4 · Affect and emotion
#
# Two descriptions of the same expressions: seven categories with probabilities, and a point in
# the plane of valence and arousal. Both describe what a face **shows**. Neither measures a
# feeling: people smile when embarrassed and stay still when moved.

# %%
import facemt_analysis as fm
from facemt_analysis import plotting

fex = fm.datasets.load_sample_study()
recording = "sub-05_funny_1.mp4"

# %% [markdown]
# ## Categories
#
# Probabilities sum to one in each frame. Most frames of people who watch a film look neutral.

# %%
ax = fex.emotion.plot(recording=recording)

# %%
summary = fex.emotion.summary("condition")
summary.pivot(index="feature", columns="condition", values="share").round(3)

# %%
ax = plotting.plot_emotion_shares(fex, "condition")

# %% [markdown]
# ## Sequences
#
# Bouts are stretches of one dominant emotion. Below the threshold none is dominant; that is an
# answer too.

# %%
bouts = fex.emotion.bouts(threshold=0.5, labels=["condition"])
bouts.groupby(["condition", "feature"], observed=True)["duration"].describe()[["count", "mean"]]

# %%
transitions = fex.emotion.transitions("condition", unit="bouts")
transitions.head()

# %% [markdown]
# ## The plane
#
# Right is pleasant, up is excited. Colour is time.

# %%
ax = fex.affect.plot(recording=recording)

# %%
ax = plotting.plot_va_density(fex[fex["condition"] == "funny"])
_ = ax.set_title("All people, funny film")

# %% [markdown]
# ## How does affect move?
#
# Level and change are different things: `valence_sd` is the spread, `valence_mssd` the change
# from one frame to the next, `valence_inertia` how much of the last frame is still in this one.
# All but the mean depend on the frame rate and on filters; compare recordings of one rate only.

# %%
fex.affect.summary("condition").set_index("condition")[
    ["valence_mean", "valence_sd", "valence_mssd", "valence_inertia", "share_pleasant_active"]
]

# %% [markdown]
# ## The films compared

# %%
table = fex.stats.compare(["Happy", "valence", "arousal"], condition="condition")
ax = plotting.plot_estimates(table)

# %%
from facemt_analysis import stats

print(stats.describe(table))

# %% [markdown]
# The arousal planted (dz = 0.5) was not found. What could 16 people have found at all?

# %%
fex.stats.sensitivity("arousal", condition="condition")[
    ["feature", "smallest_effect", "effect_name", "smallest_difference", "power"]
]

# %% [markdown]
# Effects below that are missed more often than one time in five. "Not significant" is not "no
# effect".
