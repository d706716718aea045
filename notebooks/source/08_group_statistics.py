# %% [markdown]
# # 8 · From group statistics to a results paragraph
#
# Did the funny film make people smile, when, and did they smile together? One question after the
# other, on people and never on frames, up to sentences that can go into a paper.

# %%
import facemt_analysis as fm
from facemt_analysis import plotting, stats

fex = fm.datasets.load_sample_study()

# %% [markdown]
# ## The table of people
#
# One row per person and film: frames become recordings, recordings become people. Look at it
# before testing anything; it also goes to other programs (`to_csv`).

# %%
people = fex.stats.summarize(by="condition", features=["AU12", "valence"])
people.head(4)

# %%
len(fex.stats.missing_cells(["AU12", "valence"], condition="condition"))

# %% [markdown]
# ## Do the films differ?
#
# The design (within people) is found from the labels; p values are corrected over the table.

# %%
table = fex.stats.compare(["AU12", "AU06", "AU04", "valence"], condition="condition")
axes = plotting.plot_comparison(table, people, "AU12", condition="condition")

# %%
ax = plotting.plot_estimates(table)

# %% [markdown]
# ## When?
#
# A mean over ten seconds hides the moment. The cluster test looks at all times at once, and holds
# the error rate over all of them. A cluster's borders are not tested: say that the courses
# differ, and where the cluster lies.

# %%
courses = fex.stats.cluster_permutation("AU12", condition="condition", n_permutations=1000, seed=1)
courses.table[["cluster", "start", "stop", "mass", "p"]].head(3)

# %%
ax = courses.plot()

# %% [markdown]
# ## Together?
#
# Intersubject correlation: does a person's course resemble that of the others? Chance is what is
# left when every course is shifted against the rest. People are still at the start of every
# recording, and that alone makes courses alike: compare films, do not only test against zero.

# %%
together = fex.stats.isc("AU12", condition="condition", n_permutations=500, seed=1)
together.table[["condition", "isc", "ci_low", "ci_high", "p_adj", "n_subjects"]]

# %%
ax = together.plot()

# %% [markdown]
# ## Several recordings per person?
#
# Then a mixed model, with random effects of people. Here there is one per film, and the model
# says the same as the paired t test.

# %%
model = fex.stats.mixed("AU12", condition="condition")
model.table[["feature", "contrast", "estimate", "se", "df", "p", "ci_low", "ci_high"]]

# %% [markdown]
# ## Can the film be told from the face of somebody new?
#
# The classifier never sees the person it is tested on.

# %%
decoded = fex.stats.decode(
    ["AU06", "AU12", "Happy", "valence"], target="condition", n_permutations=40, seed=1
)
print(decoded.summary())

# %%
ax = decoded.plot()

# %% [markdown]
# ## In words
#
# Sentences and tables come from the numbers themselves. Rounding happens here and nowhere before.

# %%
print(stats.describe(table))

# %%
print(stats.to_markdown(table))

# %%
print(fex.methods_text())
