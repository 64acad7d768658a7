"""The sizes of a HuBERT encoder, under the names Hugging Face's `HubertConfig` gives them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

SAMPLE_RATE = 16000  # Hz, of every HuBERT

# What config.json of a folder written by `save_pretrained` says about itself.
FORMAT = "mlx-contentvec"
FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ContentvecConfig:
    """Sizes and choices of one encoder; the defaults are ContentVec's (and HuBERT base's).

    `classifier_proj_size` is the width of `final_proj` (v1 voices: 256), None where the weights
    have no such layer. `do_normalize` comes from `preprocessor_config.json`: whether the model was
    trained on audio of mean 0 and variance 1 (ContentVec was not).

    Reference: transformers, `configuration_hubert.py`.
    """

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5
    conv_dim: tuple[int, ...] = (512, 512, 512, 512, 512, 512, 512)
    conv_kernel: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_stride: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    conv_bias: bool = False
    feat_extract_norm: str = "group"  # "group": after the first convolution; "layer": after each
    feat_extract_activation: str = "gelu"
    feat_proj_layer_norm: bool = True
    num_conv_pos_embeddings: int = 128  # taps of the positional convolution
    num_conv_pos_embedding_groups: int = 16
    conv_pos_batch_norm: bool = False
    do_stable_layer_norm: bool = False  # True: norm before attention and feed-forward, not after
    classifier_proj_size: int | None = 256
    do_normalize: bool = False

    def __post_init__(self) -> None:
        """Refuse what the model cannot be, by name.

        Raises:
            ValueError: a size that does not fit another, or an unsupported choice.
        """
        for name in ("conv_dim", "conv_kernel", "conv_stride"):  # JSON brings lists
            object.__setattr__(self, name, tuple(getattr(self, name)))
        self._check_choices()
        self._check_sizes()

    def _check_choices(self) -> None:
        for name in ("hidden_act", "feat_extract_activation"):
            if getattr(self, name) != "gelu":
                raise ValueError(f"{name} is {getattr(self, name)!r}; only 'gelu' is supported")
        if self.feat_extract_norm not in ("group", "layer"):
            raise ValueError(
                f"feat_extract_norm is {self.feat_extract_norm!r}; expected 'group' or 'layer'"
            )
        if self.conv_pos_batch_norm:
            raise ValueError("conv_pos_batch_norm is true; only the weight-normed positional "
                             "convolution is supported")  # fmt: skip

    def _check_sizes(self) -> None:
        lengths = {len(self.conv_dim), len(self.conv_kernel), len(self.conv_stride)}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError(
                "conv_dim, conv_kernel and conv_stride must have one entry per layer, got "
                f"{len(self.conv_dim)}, {len(self.conv_kernel)} and {len(self.conv_stride)}"
            )
        sizes = [
            self.hidden_size, self.num_hidden_layers, self.num_attention_heads,
            self.intermediate_size, self.num_conv_pos_embeddings,
            self.num_conv_pos_embedding_groups, *self.conv_dim, *self.conv_kernel,
            *self.conv_stride,
        ]  # fmt: skip
        if self.classifier_proj_size is not None:
            sizes.append(self.classifier_proj_size)
        if any(type(size) is not int or size < 1 for size in sizes):
            raise ValueError(f"every size must be a positive whole number: {self}")
        for name in ("num_attention_heads", "num_conv_pos_embedding_groups"):
            if self.hidden_size % getattr(self, name):
                raise ValueError(
                    f"hidden_size {self.hidden_size} is not a multiple of {name} "
                    f"{getattr(self, name)}"
                )

    @property
    def stride(self) -> int:
        """Samples between two frames (320: 50 frames a second)."""
        product = 1
        for stride in self.conv_stride:
            product *= stride
        return product

    @property
    def receptive_field(self) -> int:
        """Samples that one frame sees (400: 25 ms), and so the shortest audio there can be."""
        field, step = 1, 1
        for kernel, stride in zip(self.conv_kernel, self.conv_stride, strict=True):
            field += (kernel - 1) * step
            step *= stride
        return field

    def frames(self, samples: int) -> int:
        """Frames that `samples` of 16 kHz audio give: (samples − 80) // 320 for the usual stack."""
        return max(0, (samples - self.receptive_field) // self.stride + 1)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ContentvecConfig":
        """Read what `to_dict` wrote.

        Raises:
            ValueError: an unknown key, a missing key, or a value that does not fit.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise ValueError(f"unknown key(s) in the encoder's configuration: {', '.join(unknown)}")
        if missing := sorted(known - set(data)):
            raise ValueError(f"missing in the encoder's configuration: {', '.join(missing)}")
        return cls(**data)

    @classmethod
    def from_hf(
        cls, data: Mapping[str, Any], preprocessor: Mapping[str, Any] | None = None
    ) -> "ContentvecConfig":
        """Read a Hugging Face `config.json`, and `preprocessor_config.json` where there is one.

        Keys that say nothing about the encoder (dropout, labels, versions) are passed over; a
        missing key has `HubertConfig`'s default, as it does in transformers.

        Raises:
            ValueError: another kind of model, or a choice that is not supported.
        """
        kind = data.get("model_type", "hubert")
        if kind != "hubert":
            raise ValueError(f"config.json says model_type {kind!r}; expected 'hubert'")
        found = {field.name: data[field.name] for field in fields(cls) if field.name in data}
        found.pop("do_normalize", None)
        return cls(**found, do_normalize=normalises(preprocessor))


def normalises(preprocessor: Mapping[str, Any] | None) -> bool:
    """Whether audio is brought to mean 0 and variance 1: what `preprocessor_config.json` says.

    A file that does not say so means yes, as in transformers' `Wav2Vec2FeatureExtractor`; without
    a file nothing is normalised, as RVC's programs do it.

    Raises:
        ValueError: another sample rate, or an answer that is neither true nor false.
    """
    if preprocessor is None:
        return False
    rate = preprocessor.get("sampling_rate", SAMPLE_RATE)
    if rate != SAMPLE_RATE:
        raise ValueError(f"preprocessor_config.json says {rate} Hz; expected {SAMPLE_RATE}")
    said = preprocessor.get("do_normalize", True)
    if not isinstance(said, bool):
        raise ValueError(
            f"preprocessor_config.json has do_normalize {said!r:.60}; expected true or false"
        )
    return said
