# %% [markdown]
# # 1 · First look
#
# Sixteen people watched a neutral and a funny film, ten seconds each. What did their faces do?
# The study comes with the package and is **simulated**: nobody was filmed, and what was planted
# is known. Everything here works the same on tables detected from your own videos.

# %%
import facemt_analysis as fm

fex = fm.datasets.load_sample_study()
fex.head(3)

# %% [markdown]
# A `Fex` is a pandas DataFrame: one row per face per frame. Its first lines say what is in it.
# Some columns name the row (recording, frame, time, track), some were measured, and some are
# labels of the study (`subject`, `condition`, `trial`).

# %%
print(fex.summary())
fex[["subject", "condition", "trial"]].drop_duplicates().head(4)

# %% [markdown]
# ## Columns come in groups
#
# A plural name is a group of columns, as a plain DataFrame.

# %%
fex.groups

# %%
fex.aus.mean().sort_values(ascending=False).head(5)

# %% [markdown]
# Units, ranges and meanings are in the table as well. An action unit **score** says how surely a
# movement is there. It is not an intensity: 0.8 is not twice as strong as 0.4.

# %%
columns = fex.describe_columns().set_index("column")
columns.loc[["AU12", "Happy", "valence", "gaze_yaw", "Yaw"], ["group", "unit", "low", "high"]]

# %% [markdown]
# ## One face over time
#
# A singular name is a view: methods that analyse the group. Grey bands are frames in which the
# face was lost; they are shown and not bridged.

# %%
recording = "sub-03_funny_1.mp4"
ax = fex.au.plot(["AU04", "AU06", "AU12", "AU25"], recording=recording)
_ = ax.set_title(recording)

# %% [markdown]
# The emotions are probabilities of what an expression **looks like**. What a person feels is
# another question, which the face alone does not answer.

# %%
ax = fex.emotion.plot(recording=recording)

# %% [markdown]
# ## How much of it was measured?
#
# Ask before comparing anything.

# %%
report = fex.quality.report()
report[["share_valid", "gap_longest", "hz", "share_usable"]].describe().loc[["min", "50%", "max"]]

# %%
axes = fex.quality.plot()

# %% [markdown]
# ## Did the films differ?
#
# Frames of one person are not independent observations. `stats` averages frames to people first;
# the sample is 16, not 3,840.

# %%
table = fex.stats.compare(["AU12", "AU04", "valence"], condition="condition")
table[
    ["feature", "contrast", "estimate", "ci_low", "ci_high", "p_adj", "effect_size", "n_subjects"]
]

# %%
from facemt_analysis import plotting

people = fex.stats.summarize(by="condition", features="AU12")
axes = plotting.plot_comparison(table, people, "AU12", condition="condition")

# %% [markdown]
# People smiled more in the funny film (AU12; planted: dz = 1.2). About frowning (AU04; planted:
# −0.3) sixteen people cannot tell: the interval holds zero, and effects of some size as well. The
# other notebooks take these steps one by one.
