# %% [markdown]
# # 3 · Action unit events
#
# A smile has a beginning, a highest point and an end. How many were there, how long, how fast?
# Events turn courses of scores into things that can be counted.

# %%
import facemt_analysis as fm

study, truth = fm.simulate_study(
    8,
    duration=20,
    fps=25,
    effects={"AU12": {"funny": 1.2}, "AU06": {"funny": 1.0}},
    rest=3,
    feature_groups=["aus"],
    seed=3,
)
print(study.summary())

# %% [markdown]
# ## Find events
#
# An event begins at the first frame at or above `on` and ends below `off` (by default a fifth
# lower, so that noise around the threshold does not cut it into pieces). Short gaps are bridged,
# and events of less than 0.1 s are left out.

# %%
events = study.au.events(["AU06", "AU12"], on=0.5, labels=["subject", "condition"])
events[["input", "feature", "onset", "apex", "offset", "duration", "peak", "truncated"]].head()

# %%
recording = "sub-02_funny_1.mp4"
ax = study.au.plot(["AU04", "AU06", "AU12"], recording=recording)
_ = ax.set_title(recording)

# %% [markdown]
# `truncated` events touch the border of the recording or a longer gap: count them, but do not
# trust their length.
#
# ## A threshold is a decision
#
# Scores rest at another level in every person. Relative to the person's own rest (here the three
# quiet seconds at the beginning) the same threshold means the same for everybody. The differences
# leave the range of a score, and are no longer one.

# %%
relative = study.signal.baseline(["AU06", "AU12"], window=(0, 3))
counts = {
    "scores, on = 0.5": len(study.au.events("AU12", on=0.5)),
    "scores, on = 0.7": len(study.au.events("AU12", on=0.7)),
    "above own rest by 0.3": len(relative.au.events("AU12", on=0.3)),
}
counts

# %% [markdown]
# ## Rates
#
# Events per minute of **valid** time. A lost face is no rest.

# %%
rates = relative.au.rates("condition", aus=["AU06", "AU12"], on=0.3)
rates[["condition", "feature", "n_events", "rate", "mean_duration", "share", "seconds"]]

# %% [markdown]
# ## Cheeks and lips together
#
# Smiles with raised cheeks are often called genuine. They are not a lie detector: deliberate
# smiles have AU06 as often (Krumhuber & Manstead, 2009). The type says what is on, and no more.

# %%
smiles = relative.au.smiles(on=0.3, labels=["condition"])
counts = smiles.groupby(["condition", "type"], observed=True).size().unstack(fill_value=0)
ax = counts.plot.barh(stacked=True, xlabel="Number of smiles", ylabel="", figsize=(5, 1.8))
counts

# %%
relative.au.cooccurrence(["AU06", "AU12"], on=0.3, by="condition")[
    ["condition", "share_a", "share_b", "share_both", "jaccard", "phi"]
]

# %% [markdown]
# ## What happens around a smile?
#
# Cut the signals around the onsets, average within people, then over people.

# %%
from facemt_analysis import plotting

onsets = relative.au.events("AU12", on=0.3, min_duration=0.3)
onsets = onsets[["input", "track", "onset"]]
epochs = relative.signal.epochs(onsets, -1, 2, hz=25, missing="drop")
courses = epochs.signal.epoch_average("condition", columns=["AU06", "AU12"])
ax = plotting.plot_epochs(courses, "AU06", by="condition")

# %% [markdown]
# ## Compare people, not events
#
# Events of one person are not independent. A measure by name becomes one number per recording,
# then per person; only these are compared.

# %%
table = study.stats.compare(condition="condition", measures="AU12.rate")
table[
    ["feature", "contrast", "estimate", "ci_low", "ci_high", "p_adj", "effect_size", "n_subjects"]
]

# %%
people = study.stats.summarize(by="condition", measures="AU12.rate")
axes = plotting.plot_comparison(table, people, "AU12.rate", condition="condition")

# %% [markdown]
# Eight people and twenty seconds are too few to count smiles: the interval is wide. The mean score
# uses every frame, and answers another question.
