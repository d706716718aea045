# %% [markdown]
# # 9 · Many recordings
#
# A study of hundreds of videos does not fit into memory as one table, and does not have to. One
# folder, one file per recording; each step reads only what it needs. On the command line the
# folder comes from `facemt detect recordings/ -o study/`.

# %%
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

import facemt_analysis as fm
from facemt_analysis import io, plotting

study, truth = fm.simulate_study(12, duration=15, fps=20, rest=1, seed=9)
folder = Path(mkdtemp()) / "study"
files = io.write_dataset(study, folder)
len(files), files[0].name

# %% [markdown]
# ## What is there?
#
# Answered from the files' footers, without reading any measurement.

# %%
print(io.describe_fex(folder))

# %%
io.dataset_recordings(folder)[:3]

# %% [markdown]
# ## Read a part
#
# Groups, recordings and times that are not asked for are not read.

# %%
part = fm.read_fex(folder, groups=["aus", "va"], recordings="sub-01_funny_1.mp4", start=5, stop=10)
print(part.summary())
sizes = {
    "everything": int(study.memory_usage().sum()),
    "one recording, two groups": int(part.memory_usage().sum()),
}
sizes

# %% [markdown]
# ## One recording at a time
#
# Measures per recording are small tables; they are kept, the frames are not.

# %%
measures = []
quality = []
for name in io.dataset_recordings(folder):
    fex = fm.read_fex(folder, groups=["faceboxes", "poses", "aus"], recordings=name)
    quality.append(fex.quality.report())
    rates = fex.au.rates(["input", "subject", "condition"], aus=["AU06", "AU12"], on=0.5)
    measures.append(rates)
measures = pd.concat(measures, ignore_index=True)
quality = pd.concat(quality, ignore_index=True)
measures[["input", "feature", "n_events", "rate", "share", "seconds"]].head(4)

# %% [markdown]
# `fm.scan` is this loop: the same measures by the same names, one recording in memory at a time,
# each reading only its own columns. `fm.scan(folder, workers=8)` works on eight at once.

# %%
scan = fm.scan(folder)
scan

# %%
same = scan.au.rates(["input", "subject", "condition"], aus=["AU06", "AU12"], on=0.5)
pd.testing.assert_frame_equal(same, measures)
scan.map(lambda fex: {"seconds_smiling": fex.au.smiles()["duration"].sum()}, groups="aus").head(3)

# %% [markdown]
# ## Which recordings need a look?

# %%
quality.sort_values("share_usable")[["input", "share_valid", "gap_longest", "share_usable"]].head(3)

# %%
aus = fm.read_fex(folder, groups="aus")
ax = plotting.plot_raster(aus, "AU12")

# %%
ax = plotting.plot_means(aus, ["AU04", "AU06", "AU12", "AU25"], by="subject")

# %% [markdown]
# ## Labels come later
#
# Who is who is often known from a list. Join it by the name of the recording; a recording that
# the list lacks is an error, not a silent NaN.

# %%
names = pd.Series(aus.recordings, name="input")
codebook = pd.DataFrame(
    {"input": names, "site": ["Bern" if i % 4 < 2 else "Lund" for i in range(24)]}
)
labelled = aus.label(codebook)
labelled.groupby("site", observed=True)["subject"].nunique()

# %% [markdown]
# ## Then the statistics
#
# Two sites, two films: site varies between people, film within. Both are found from the labels.

# %%
table = labelled.stats.compare("AU12", condition=["site", "condition"])
table[
    ["feature", "contrast", "statistic", "df_effect", "df", "p_adj", "effect_size", "effect_name"]
]

# %%
ax = plotting.plot_estimates(
    labelled.stats.compare(["AU06", "AU12"], condition="condition", contrast="funny - neutral")
)
