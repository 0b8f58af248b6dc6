"""Presets, thresholds and opacity: what a person sets against what the volume is."""

from dataclasses import replace

import pytest

from synthview.gui.render3d.settings import (
    WHOLE_BOX,
    RenderSettings,
    VolumeFacts,
    automatic_preset,
    default_threshold,
    effective_preset,
    presets,
    resolve,
    still_fits,
    threshold_range,
    with_clipping,
)
from synthview.volume import VolumeKind, Window

MRI = VolumeFacts(VolumeKind.T1W, "", Window(500, 1000), 0, 4000, colored=False, longest_mm=200)
CT = VolumeFacts(VolumeKind.CT, "HU", Window(40, 400), -1024, 3071, colored=False, longest_mm=400)
TISSUES = VolumeFacts(VolumeKind.TISSUE_MAP, "", Window(0.5, 1), 0, 1, colored=True, longest_mm=200)


def test_every_preset_is_well_formed():
    assert {"brain-mri", "ct-lung", "ct-bone", "tissue-map", "generic"} <= set(presets())
    for preset in presets().values():
        values = [x for x, _ in preset.opacity]
        assert values == sorted(values)
        assert all(0 <= y <= 1 for _, y in preset.opacity)
        assert preset.opacity[0][1] == 0, "a preset must leave something transparent"
        assert [x for x, *_ in preset.color] == sorted(x for x, *_ in preset.color)
        assert bool(preset.color) != preset.colored


@pytest.mark.parametrize(
    ("kind", "colored", "expected"),
    [
        (VolumeKind.T1W, False, "brain-mri"),
        (VolumeKind.T2W, False, "brain-mri"),
        (VolumeKind.T2_STAR, False, "brain-mri"),
        (VolumeKind.CT, False, "ct-lung"),
        (VolumeKind.UNKNOWN, False, "generic"),
        (VolumeKind.TISSUE_MAP, True, "tissue-map"),
        (VolumeKind.TISSUE_MAP, False, "generic"),  # one probability
        (VolumeKind.LABEL_MAP, True, "tissue-map"),
        (VolumeKind.UNKNOWN, True, "tissue-map"),
    ],
)
def test_the_automatic_preset_follows_the_kind(kind, colored, expected):
    facts = replace(MRI, kind=kind, colored=colored)
    assert automatic_preset(facts).identifier == expected


def test_a_preset_that_cannot_draw_the_volume_gives_way():
    assert effective_preset(RenderSettings("ct-bone"), TISSUES).identifier == "tissue-map"
    assert effective_preset(RenderSettings("tissue-map"), CT).identifier == "ct-lung"
    assert effective_preset(RenderSettings("of an older version"), CT).identifier == "ct-lung"


def test_mri_presets_follow_the_window_and_ct_presets_do_not():
    darker = replace(MRI, window=Window(250, 500))
    assert default_threshold(RenderSettings(), darker) == pytest.approx(default_threshold(RenderSettings(), MRI) / 2)
    bone = RenderSettings("ct-bone")
    assert default_threshold(bone, CT) == default_threshold(bone, replace(CT, window=Window(0, 10))) == 150


def test_the_threshold_moves_the_foot_of_the_opacity():
    look = resolve(RenderSettings("ct-bone", threshold=300), CT)
    assert look.opacity[0] == (300, 0)
    assert look.opacity[1][0] == 300 + (220 - 150)
    assert look.color == resolve(RenderSettings("ct-bone"), CT).color
    low, high = threshold_range(RenderSettings("ct-bone"), CT)
    assert (low, high) == (CT.low, CT.high)
    assert threshold_range(RenderSettings(), MRI) == (0, 2000)  # the window and as much again; not one hot voxel


def test_opacity_half_is_the_preset_itself_and_more_is_denser():
    def at(setting):
        return [y for _, y in resolve(RenderSettings("ct-bone", opacity=setting), CT).opacity]

    preset = [y for _, y in presets()["ct-bone"].opacity]
    assert at(0.5) == pytest.approx(preset)
    assert at(0) == [0] * len(preset)
    for setting in (0.2, 0.4, 0.6, 0.9, 1.0):
        lower, higher = at(setting - 0.1), at(setting)
        assert all(a <= b <= 1 for a, b in zip(lower, higher, strict=True))
        assert lower != higher


def test_shading_is_off_where_it_does_not_suit_the_preset():
    assert resolve(RenderSettings("ct-bone"), CT).shaded
    assert not resolve(RenderSettings("ct-bone", shaded=False), CT).shaded
    assert not resolve(RenderSettings("ct-lung"), CT).shaded
    assert not resolve(RenderSettings("maximum"), MRI).shaded


def test_opacity_is_meant_for_a_path_that_grows_with_the_volume():
    assert resolve(RenderSettings(), MRI).unit_distance_mm == 1
    assert resolve(RenderSettings(), replace(MRI, longest_mm=40)).unit_distance_mm == pytest.approx(0.2)  # a rat


def test_a_threshold_is_kept_only_where_it_means_something():
    mine = RenderSettings("generic", threshold=700)
    assert still_fits(mine, MRI, replace(MRI, high=3000))
    assert not still_fits(mine, MRI, CT)
    assert not still_fits(mine, MRI, replace(MRI, high=600))
    assert still_fits(RenderSettings(), MRI, CT)


def test_the_first_clip_shows_what_it_does():
    settings = with_clipping(RenderSettings(), True)
    assert settings.clipped
    assert settings.box != WHOLE_BOX
    mine = replace(settings, box=(0.1, 1, 0, 1, 0, 1))
    assert with_clipping(with_clipping(mine, False), True).box == mine.box
