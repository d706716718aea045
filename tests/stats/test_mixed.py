"""Mixed models: lme4, statsmodels and the analysis of variance give the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import special

import facemt_analysis as fm
from facemt_analysis.errors import FexError, OptionError
from facemt_analysis.stats import COLUMNS, compare, mixed
from facemt_analysis.stats.mixed_reml import Term, fit_reml

Study = Callable[..., pd.DataFrame]

# R: lme4::sleepstudy, average reaction time (ms) of 18 people after 0 to 9 days without sleep
REACTION = np.array(
    [249.5600, 258.7047, 250.8006, 321.4398, 356.8519, 414.6901, 382.2038, 290.1486, 430.5853,
     466.3535, 222.7339, 205.2658, 202.9778, 204.7070, 207.7161, 215.9618, 213.6303, 217.7272,
     224.2957, 237.3142, 199.0539, 194.3322, 234.3200, 232.8416, 229.3074, 220.4579, 235.4208,
     255.7511, 261.0125, 247.5153, 321.5426, 300.4002, 283.8565, 285.1330, 285.7973, 297.5855,
     280.2396, 318.2613, 305.3495, 354.0487, 287.6079, 285.0000, 301.8206, 320.1153, 316.2773,
     293.3187, 290.0750, 334.8177, 293.7469, 371.5811, 234.8606, 242.8118, 272.9613, 309.7688,
     317.4629, 309.9976, 454.1619, 346.8311, 330.3003, 253.8644, 283.8424, 289.5550, 276.7693,
     299.8097, 297.1710, 338.1665, 332.0265, 348.8399, 333.3600, 362.0428, 265.4731, 276.2012,
     243.3647, 254.6723, 279.0244, 284.1912, 305.5248, 331.5229, 335.7469, 377.2990, 241.6083,
     273.9472, 254.4907, 270.8021, 251.4519, 254.6362, 245.4523, 235.3110, 235.7541, 237.2466,
     312.3666, 313.8058, 291.6112, 346.1222, 365.7324, 391.8385, 404.2601, 416.6923, 455.8643,
     458.9167, 236.1032, 230.3167, 238.9256, 254.9220, 250.7103, 269.7744, 281.5648, 308.1020,
     336.2806, 351.6451, 256.2968, 243.4543, 256.2046, 255.5271, 268.9165, 329.7247, 379.4445,
     362.9184, 394.4872, 389.0527, 250.5265, 300.0576, 269.8939, 280.5891, 271.8274, 304.6336,
     287.7466, 266.5955, 321.5418, 347.5655, 221.6771, 298.1939, 326.8785, 346.8555, 348.7402,
     352.8287, 354.4266, 360.4326, 375.6406, 388.5417, 271.9235, 268.4369, 257.2424, 277.6566,
     314.8222, 317.2135, 298.1353, 348.1229, 340.2800, 366.5131, 225.2640, 234.5235, 238.9008,
     240.4730, 267.5373, 344.1937, 281.1481, 347.5855, 365.1630, 372.2288, 269.8804, 272.4428,
     277.8989, 281.7895, 279.1705, 284.5120, 259.2658, 304.6306, 350.7807, 369.4692, 269.4117,
     273.4740, 297.5968, 310.6316, 287.1726, 329.6076, 334.4818, 343.2199, 369.1417, 364.1236]
)  # fmt: skip
DAYS = np.tile(np.arange(10.0), 18)
WHO = np.repeat(np.arange(18), 10)
SLEEP = pd.DataFrame({"subject": WHO, "trial": DAYS, "days": DAYS, "reaction": REACTION})
ONES = np.ones((180, 1))


# ------------------------------------------------------------------ the engine
def test_random_slopes_as_lme4() -> None:
    # lme4: lmer(Reaction ~ Days + (Days | Subject), sleepstudy); REML criterion 1743.6
    x = np.column_stack([ONES, DAYS])
    fit = fit_reml(REACTION, x, [Term("subject", x, True)], WHO)
    np.testing.assert_allclose(fit.beta, [251.405, 10.467], atol=5e-4)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), [6.825, 1.546], atol=6e-4)
    np.testing.assert_allclose(fit.random["subject"], [[612.10, 9.60], [9.60, 35.07]], atol=0.05)
    assert fit.scale == pytest.approx(654.94, abs=0.01)
    assert fit.deviance == pytest.approx(1743.628, abs=1e-3)
    assert fit.converged
    assert not fit.singular


def test_maximum_likelihood_as_lme4() -> None:
    # lme4, REML = FALSE: logLik -875.97 (deviance 1751.9)
    x = np.column_stack([ONES, DAYS])
    fit = fit_reml(REACTION, x, [Term("subject", x, True)], WHO, reml=False)
    assert fit.deviance == pytest.approx(1751.94, abs=5e-3)


def test_random_intercepts_as_lme4() -> None:
    # lme4: lmer(Reaction ~ Days + (1 | Subject), sleepstudy)
    result = mixed(SLEEP, "reaction", covariates="days", random="intercept")
    row = result.table.iloc[0]
    assert row["estimate"] == pytest.approx(10.4673, abs=5e-5)
    assert row["se"] == pytest.approx(0.8042, abs=5e-5)
    notes = result.diagnostics.iloc[0]
    assert notes["var_subject"] == pytest.approx(1378.2, abs=0.1)
    assert notes["var_residual"] == pytest.approx(960.5, abs=0.1)


def test_covariate_with_slopes() -> None:
    row = mixed(SLEEP, "reaction", covariates="days").table.iloc[0]
    assert (row["contrast"], row["df"]) == ("days", 17)  # t of 6.771 on 17 df as in lmerTest
    assert row["statistic"] == pytest.approx(6.771, abs=1e-3)


def test_formula_as_lme4() -> None:
    result = mixed(SLEEP, formula="reaction ~ days", random_formula="days")
    assert result.table["contrast"].tolist() == ["Intercept", "days"]
    np.testing.assert_allclose(result.table["estimate"], [251.405, 10.467], atol=5e-4)
    np.testing.assert_allclose(result.table["se"], [6.825, 1.546], atol=6e-4)
    assert (result.table["statistic_name"] == "z").all()
    assert result.marginal_means.empty


def test_crossed_effects_as_statsmodels() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM

    rng = np.random.default_rng(1)
    who, what = np.repeat(np.arange(8), 6), np.tile(np.arange(6), 8)
    y = rng.normal(0, 1, 8)[who] + rng.normal(0, 0.7, 6)[what] + rng.normal(0, 0.5, 48)
    fit = fit_reml(
        y, np.ones((48, 1)),
        [Term("who", np.eye(8)[who], False), Term("what", np.eye(6)[what], False)],
        np.zeros(48, dtype=int),
    )  # fmt: skip
    table = pd.DataFrame({"y": y, "one": 1, "who": who, "what": what})
    theirs = MixedLM.from_formula(
        "y ~ 1", table, groups="one", vc_formula={"what": "0 + C(what)", "who": "0 + C(who)"}
    ).fit()
    assert fit.beta[0] == pytest.approx(theirs.fe_params.iloc[0], abs=1e-5)
    assert fit.random["what"][0, 0] == pytest.approx(theirs.vcomp[0], rel=1e-3)
    assert fit.random["who"][0, 0] == pytest.approx(theirs.vcomp[1], rel=1e-3)
    assert fit.deviance == pytest.approx(-2 * theirs.llf, abs=1e-4)


def test_no_variance_between_people_is_singular() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=60)
    y -= np.repeat(y.reshape(20, 3).mean(1), 3)  # less than no variance
    fit = fit_reml(y, np.ones((60, 1)), [Term("who", np.ones((60, 1)), True)],
                   np.repeat(np.arange(20), 3))  # fmt: skip
    assert fit.singular
    assert fit.converged
    assert fit.random["who"][0, 0] == pytest.approx(0, abs=1e-8)
    assert fit.scale == pytest.approx(y.var(ddof=1))


def test_cross_products_or_rows_do_not_matter() -> None:
    """The profiled likelihood is that of the full covariance matrix."""
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(5), [2, 5, 3, 4, 6])
    x = np.column_stack([np.ones(20), rng.normal(size=20)])
    y = rng.normal(size=5)[who] + rng.normal(size=20)
    fit = fit_reml(y, x, [Term("who", np.ones((20, 1)), True)], who)
    v = fit.scale * np.eye(20) + fit.random["who"][0, 0] * (who[:, None] == who)
    inverse = np.linalg.inv(v)
    covariance = np.linalg.inv(x.T @ inverse @ x)
    np.testing.assert_allclose(fit.covariance, covariance)
    beta = covariance @ x.T @ inverse @ y
    np.testing.assert_allclose(fit.beta, beta)
    r = y - x @ beta
    deviance = (
        18 * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + r @ inverse @ r
        - np.linalg.slogdet(covariance)[1]
    )  # fmt: skip
    assert fit.deviance == pytest.approx(deviance)
    blup = fit.random["who"][0, 0] * (who[:, None] == who) @ inverse @ r
    np.testing.assert_allclose(fit.residuals, r - blup)


# ------------------------------------------------------------------ designs
def test_balanced_within_is_the_paired_t_test(study: Study) -> None:
    frame = study(14)
    ours = mixed(frame, "AU12", condition="condition").table.iloc[0]
    theirs = compare(frame, "AU12", condition="condition").iloc[0]
    for name in ("estimate", "se", "df", "p", "ci_low"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-4), name


def test_trials_within_cells_are_not_independent_people() -> None:
    """With several trials, cells are the error: the analysis of means of cells."""
    fex, _ = fm.simulate_study(12, conditions=("neutral", "funny", "sad"), trials_per_condition=3,
                               duration=3, fps=10, seed=4)  # fmt: skip
    result = mixed(fex, "AU12", condition="condition", contrast="funny - neutral")
    assert result.diagnostics["random"][0] == "cells"
    assert result.table["df"][0] == 22
    row = result.table.iloc[0]
    f = compare(fex, "AU12", condition="condition", test="anova", sphericity="none")
    from facemt_analysis.stats import summarize

    means = summarize(fex, by="condition", features="AU12").pivot_table(
        index="subject", columns="condition", values="AU12"
    )
    centred = means.sub(means.mean(axis=1), axis=0) - means.mean() + means.to_numpy().mean()
    error = (centred**2).to_numpy().sum() / 22  # mean square of subjects × cells
    assert row["se"] == pytest.approx(np.sqrt(2 * error / 12), rel=1e-4)
    assert f["df"][0] == 22


def test_groups_and_conditions(study: Study) -> None:
    frame = study(15, groups=2)
    result = mixed(frame, "AU12", condition="condition", between="group")
    student = compare(frame, "AU12", condition="condition", between="group", test="student")
    np.testing.assert_allclose(result.table["estimate"], student["estimate"], rtol=1e-6)
    np.testing.assert_allclose(result.table["p"], student["p"], rtol=1e-3)
    means = result.marginal_means
    assert means.columns.tolist()[:3] == ["feature", "group", "condition"]
    assert len(means) == 4
    assert (means["ci_low"] < means["estimate"]).all()


def test_missing_recordings_are_no_reason_to_drop_people(study: Study) -> None:
    frame = study(12)
    frame = frame[~((frame["subject"] == "s03") & (frame["condition"] == "calm"))]
    row = mixed(frame, "AU12", condition="condition").table.iloc[0]
    assert (row["n_subjects"], row["n_obs"]) == (12, 23)
    from statsmodels.regression.mixed_linear_model import MixedLM

    means = frame.groupby(["subject", "condition"], as_index=False)["AU12"].mean()
    theirs = MixedLM.from_formula("AU12 ~ condition", means, groups="subject").fit()
    assert row["estimate"] == pytest.approx(theirs.fe_params.iloc[1], abs=1e-5)
    assert row["se"] == pytest.approx(theirs.bse_fe.iloc[1], rel=1e-3)


def test_items_that_belong_to_conditions_bound_the_degrees_of_freedom() -> None:
    fex, _ = fm.simulate_study(10, trials_per_condition=3, duration=2, fps=10, seed=4)
    fex = fex.assign(film=fex["condition"] + fex["trial"].astype(str))
    row = mixed(fex, "AU12", condition="condition", item="film").table.iloc[0]
    assert row["df"] == 4  # six films in two conditions
    assert "items" in row["method"]


# ------------------------------------------------------------------ scores and occurrence
def test_fractions_as_statsmodels(study: Study) -> None:
    import statsmodels.api as sm

    frame = study(14)
    result = mixed(frame, "AU12", condition="condition", family="fraction")
    row = result.table.iloc[0]
    means = frame.groupby(["subject", "condition"], as_index=False)["AU12"].mean()
    x = sm.add_constant((means["condition"] == "funny").astype(float))
    theirs = sm.GEE(
        means["AU12"], x, groups=means["subject"], family=sm.families.Binomial(),
        cov_struct=sm.cov_struct.Exchangeable(),
    ).fit(cov_type="bias_reduced")  # fmt: skip
    assert row["estimate"] == pytest.approx(theirs.params.iloc[1], rel=1e-5)
    assert row["se"] == pytest.approx(theirs.bse.iloc[1], rel=1e-4)
    assert row["effect_name"] == "odds ratio"
    assert row["effect_size"] == pytest.approx(np.exp(row["estimate"]))
    assert row["df"] == 12
    shares = means.groupby("condition")["AU12"].mean()
    np.testing.assert_allclose(result.marginal_means["response"], shares, rtol=1e-5)


def test_occurrence_is_the_share_of_frames(study: Study) -> None:
    frame = study(12)
    result = mixed(frame, "AU12", condition="condition", family="binomial", threshold=0.45)
    on = frame.assign(on=frame["AU12"] >= 0.45)
    shares = on.groupby("condition")["on"].mean()
    np.testing.assert_allclose(result.marginal_means["response"], shares, rtol=1e-5)
    assert "share of frames with AU12 from 0.45" in result.table["method"][0]


@pytest.mark.parametrize(
    ("transform", "there"),
    [("logit", lambda y: special.logit((y * 23 + 0.5) / 24)),
     ("arcsine", lambda y: np.arcsin(np.sqrt(y)))],
    ids=["logit", "arcsine"],
)  # fmt: skip
def test_transforms(study: Study, transform: str, there: Callable) -> None:
    frame = study(12)
    result = mixed(frame, "AU12", condition="condition", transform=transform)
    means = frame.pivot_table(index="subject", columns="condition", values="AU12")
    change = there(means["funny"]) - there(means["calm"])
    assert result.table["estimate"][0] == pytest.approx(change.mean(), rel=1e-6)
    assert transform in result.table["method"][0]
    assert result.marginal_means["response"].between(0, 1).all()


# ------------------------------------------------------------------ what comes with it
def test_result(study: Study) -> None:
    result = mixed(study(10), ["AU12", "AU06"], condition="condition")
    assert tuple(result.table.columns[: len(COLUMNS)]) == COLUMNS
    assert result.diagnostics["feature"].tolist() == ["AU12", "AU06"]
    assert result.diagnostics["converged"].all()
    assert (result.diagnostics["estimation"] == "REML").all()
    assert "REML" in result.table["method"][0]
    assert len(result.summary().splitlines()) == 2
    assert result.model("AU06") is not None
    with pytest.raises(FexError, match="Did you mean 'AU06'"):
        result.model("AU6")
    with pytest.raises(FexError, match="2 models"):
        _ = result.model_result
    one = mixed(study(10), "AU12", condition="condition")
    means = one.model_result.fe_params
    assert means["funny"] - means["calm"] == pytest.approx(one.table["estimate"][0], rel=1e-4)


def test_autocorrelation_is_found() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for s in range(12):
        noise = np.zeros(40)
        for i in range(1, 40):
            noise[i] = 0.7 * noise[i - 1] + rng.normal()
        rows.append(pd.DataFrame({"subject": s, "trial": range(40), "y": noise,
                                  "c": ["a", "b"] * 20}))  # fmt: skip
    table = pd.concat(rows)
    lag = mixed(table, "y", condition="c").diagnostics["lag1"][0]
    assert 0.5 < lag < 0.75
    table["y"] = rng.normal(size=len(table))
    assert abs(mixed(table, "y", condition="c").diagnostics["lag1"][0]) < 0.15


def test_frames_as_rows_only_with_a_warning(study: Study) -> None:
    frame = study(8)
    with pytest.warns(UserWarning, match="standard errors within subjects are too small"):
        result = mixed(frame, "AU12", condition="condition", rows="frames")
    assert result.table["n_obs"][0] == len(frame)


def test_wrong_fits_are_named(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "facemt_analysis.stats.mixed_reml._minimise",
        lambda f, terms: (np.array([0.5]), f(np.array([0.5])), False),
    )
    with pytest.warns(UserWarning, match="did not converge"):
        result = mixed(study(8), "AU12", condition="condition")
    assert "NOT CONVERGED" in result.table["method"][0]
    assert not result.diagnostics["converged"][0]


REFUSED = {
    "nothing to model": (lambda f: mixed(f, "AU12"), OptionError, "what to model"),
    "constant": (
        lambda f: mixed(f.assign(AU12=0.5), "AU12", condition="condition"), FexError, "everywhere",
    ),
    "all NaN": (
        lambda f: mixed(f.assign(AU12=np.nan), "AU12", condition="condition"),
        FexError, "no valid value",
    ),
    "empty cell": (
        lambda f: mixed(f.assign(AU12=f["AU12"].where(f["condition"] == "calm")), "AU12",
                        condition="condition"),
        FexError, "no recording in the cell funny",
    ),
    "slopes of one row": (
        lambda f: mixed(f, "AU12", condition="condition", random="slopes"), FexError, "several",
    ),
    "cells of one row": (
        lambda f: mixed(f, "AU12", condition="condition", random="cells"), FexError, "several",
    ),
    "not a fraction": (
        lambda f: mixed(f.assign(AU12=f["AU12"] * 5), "AU12", condition="condition",
                        family="fraction"),
        FexError, "leaves 0 to 1",
    ),
    "logit of what is no score": (
        lambda f: mixed(f.assign(AU12=f["AU12"] * 5), "AU12", condition="condition",
                        transform="logit"),
        FexError, "leaves 0 to 1",
    ),
    "never occurs": (
        lambda f: mixed(f, "AU12", condition="condition", family="binomial", threshold=5.0),
        FexError, "everywhere",
    ),
    "too few": (
        lambda f: mixed(f[f["subject"] < "s02"], "AU12", condition="condition",
                        family="fraction"),
        FexError, "too few",
    ),
    "text covariate": (
        lambda f: mixed(f, "AU12", covariates="condition"), FexError, "not numeric",
    ),
    "formula and condition": (
        lambda f: mixed(f, "AU12", condition="condition", formula="condition"),
        OptionError, "replaces",
    ),
    "two scales": (
        lambda f: mixed(f, "AU12", condition="condition", family="fraction", transform="logit"),
        OptionError, "transform",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error", "match"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_answered_is_refused(
    study: Study, call: Callable[[pd.DataFrame], object], error: type[Exception], match: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=match):
            call(study())
