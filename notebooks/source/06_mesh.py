# %% [markdown]
# # 6 · The mesh
#
# 478 points per face describe movement without names: how far did the mouth move, and did both
# sides move alike? The people here are simulated, with meshes that follow their action units.

# %%
import facemt_analysis as fm

study, truth = fm.simulate_study(
    3,
    duration=8,
    fps=15,
    rest=1,
    feature_groups=["poses", "aus", "emotions", "meshes", "blendshapes"],
    seed=6,
)
print(study.summary())

# %% [markdown]
# ## Points in the picture
#
# Pixels, all three axes at one scale. Depth is a guess from one picture: distances across the
# picture are better than those in depth.

# %%
study.mesh.vertices().shape

# %%
smile = int(study["AU12"].fillna(0).argmax())
figure = study.mesh.plot(row=smile)

# %% [markdown]
# `figure` on a line of its own shows the face to turn with the mouse (plotly), and
# `study.mesh.animate()` lets it move. Both are large and not shown here.
#
# ## Take the head out
#
# Alignment removes place, size and turn of the head by the points that expressions move least.
# What is left is the face. The unit is the distance of the outer eye corners.

# %%
import numpy as np
from matplotlib import pyplot as plt

aligned = study.mesh.aligned()
moved = np.linalg.norm(study.mesh.displacement(), axis=2)

_, ax = plt.subplots(figsize=(4.5, 4))
points = ax.scatter(*aligned[smile, :, :2].T, c=moved[smile], s=6)
_ = ax.set(aspect="equal", xlabel="To the subject's left", ylabel="Up", title="A smile")
_ = ax.figure.colorbar(points, label="Distance from rest (eye corners = 1)")

# %% [markdown]
# ## How far did each region move?
#
# Displacement from the person's own rest (the median face, unless told otherwise: fine for people
# who mostly rest, wrong for people who talk).

# %%
from facemt_analysis import plotting

recording = study.recordings[1]
regions = study.mesh.regions().assign(time=study["time"])[study["input"] == recording]
ax = regions.plot(x="time", y=["brow", "mouth", "jaw"])
_ = ax.set(xlabel="Time (s)", ylabel="Displacement (outer eye corners = 1)")

# %%
summary = study.mesh.summary("condition")
summary.pivot(index="feature", columns="condition", values="q95").round(3)

# %% [markdown]
# ## Which action units were on?
#
# The same face, with scores drawn on the regions they move.

# %%
ax = plotting.plot_au_mesh(study.loc[study["AU12"].idxmax()])

# %% [markdown]
# ## Symmetry
#
# Nobody's face is symmetric. Compare an expression with the same person's rest, and leave out
# turned heads: the far side is guessed.

# %%
asymmetry = study.mesh.asymmetry()
asymmetry.groupby(study["subject"], observed=True)[["mouth", "face"]].median()

# %%
study.blendshape.asymmetry_summary("subject", pairs=["mouthSmile", "browDown"])

# %%
ax = study.blendshape.plot(top=10)

# %% [markdown]
# ## Blinks
#
# Eyelids are part of the mesh. At 15 frames a second most blinks have one or two frames and some
# have none; the table says so in `low_rate`.

# %%
study.blendshape.blink_summary("condition")
