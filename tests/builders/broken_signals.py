"""Sound that is odd, in files that are well: (name, build, frames, rate) or with words."""

import av
import numpy as np
import soundfile

RATE = 16000
RNG = np.random.default_rng(20)


def tone(frames=4800, rate=RATE, level=0.3):
    return (level * np.sin(2 * np.pi * 220 / rate * np.arange(frames))).astype(np.float32)


def wav(audio, rate=RATE, name="in.wav", **how):
    """A build: these samples in a file, 32-bit float unless told otherwise."""

    def build(folder):
        settings = {"subtype": "FLOAT", **how} if name.endswith((".wav", ".bin")) else how
        soundfile.write(folder / name, audio, rate, **settings)
        return folder / name

    return build


def by_ffmpeg(name, container, codec, rate=RATE, frames=4800, layout="mono", **options):
    """A build: a tone, encoded by FFmpeg."""

    def build(folder):
        with av.open(str(folder / name), "w", format=container, container_options=options) as file:
            stream = file.add_stream(codec, rate=rate, layout=layout)
            kind = stream.codec_context.codec.audio_formats[0].name
            planes = np.tile(tone(frames, rate), (1 if layout == "mono" else 2, 1))
            frame = av.AudioFrame.from_ndarray(planes, "fltp", layout)
            frame.sample_rate, frame.pts = rate, 0
            for part in av.AudioResampler(kind, layout, rate).resample(frame):
                file.mux(stream.encode(part))
            file.mux(stream.encode(None))
        return folder / name

    return build


def _with(value, place=2000):
    audio = tone()
    audio[place] = value
    return audio


_T = np.arange(4800)
_FINITE = {
    **{f"{n} samples": tone(n) for n in (1, 2, 3, 9, 19, 79, 159, 160, 161, 320, 399, 400, 401)},
    "silence": np.zeros(4800, np.float32),
    "DC at 0.5": np.full(4800, 0.5, np.float32),
    "DC at full scale": np.ones(4800, np.float32),
    "denormals": np.full(4800, 1e-40, np.float32),
    "the smallest normal": np.float32(1.2e-38) * np.sign(tone()),
    "full-scale square": np.sign(tone()) + (tone() == 0),
    "square at half the rate": np.where(_T % 2, 1, -1).astype(np.float32),
    "one impulse": _with(1.0) * (_T == 2000),
    "impulse at the start": np.float32(_T == 0),
    "impulse at the end": np.float32(_T == 4799),
    "12 times full scale": 12 * tone(level=1.0),
    "1e30 times full scale": np.float32(1e30) * tone(level=1.0),
    "one sample at 1e38": _with(1e38),
    "white noise": RNG.uniform(-1, 1, 4800).astype(np.float32),
    "a step": np.where(_T < 2400, -0.8, 0.8).astype(np.float32),
    "-140 dB": tone(level=1e-7),
}
_NOT_FINITE = {
    "NaN in the middle": _with(np.nan),
    "NaN as the last sample": _with(np.nan, -1),
    "infinite": _with(np.inf),
    "minus infinite at the start": _with(-np.inf, 0),
    "all NaN": np.full(4800, np.nan, np.float32),
}
SIGNALS = [(name, wav(audio), len(audio), "") for name, audio in _FINITE.items()]
SIGNALS += [(name, wav(audio), 0, "NaN or infinite") for name, audio in _NOT_FINITE.items()]
SIGNALS.append(("1 sample at 384 kHz", wav(tone(1), 384000), 0, "less than half a sample"))
SIGNALS.append(("no samples", wav(tone(0)), 0, "holds no audio samples"))


_RATES = (8000, 11025, 12000, 22050, 22051, 32000, 44056, 44100, 48000, 88200, 96000)
_RATES += (176400, 192000, 384000, 1000, 7919)
RATES_AND_CHANNELS = [
    (f"{rate} Hz", wav(tone(rate // 10 + 7, rate), rate), rate // 10 + 7, rate) for rate in _RATES
]
RATES_AND_CHANNELS += [
    (f"{n} channels", wav(np.repeat(tone()[:, None], n, axis=1)), 4800, RATE)
    for n in (2, 3, 4, 5, 6, 7, 8, 16, 32)
]
RATES_AND_CHANNELS.append(
    ("channels that cancel", wav(np.stack([tone(), -tone()], axis=1)), 4800, RATE)
)
RATES_AND_CHANNELS.append(("13 samples at 384 kHz", wav(tone(13), 384000), 13, 384000))

# Block codecs fill their last block: the file itself holds that many frames.
_WAV_SUBTYPES = {
    **dict.fromkeys(("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"), 4800),
    **dict.fromkeys(("ULAW", "ALAW"), 4800),
    **{
        "IMA_ADPCM": 5 * 1017,
        "MS_ADPCM": 5 * 1012,
        "GSM610": 16 * 320,
        "G721_32": 4800,
        "NMS_ADPCM_24": 4800,
    },
}
ENCODINGS = [
    (f"wav {subtype}", wav(tone(), subtype=subtype), frames, RATE)
    for subtype, frames in _WAV_SUBTYPES.items()
]
ENCODINGS += [
    (f"{form} {subtype}", wav(tone(), name=name, format=form, subtype=subtype), 4800, RATE)
    for form, subtype, name in (
        ("WAVEX", "PCM_16", "in.wav"),
        ("RF64", "PCM_16", "in.wav"),
        ("RF64", "FLOAT", "in.rf64"),
        ("W64", "PCM_24", "in.w64"),
        ("CAF", "PCM_16", "in.caf"),
        ("CAF", "ALAC_16", "in.caf"),
        ("AIFF", "PCM_S8", "in.aiff"),
        ("AIFF", "DOUBLE", "in.aif"),
        ("AU", "ULAW", "in.au"),
        ("FLAC", "PCM_24", "in.flac"),
        ("OGG", "VORBIS", "in.ogg"),
        ("OGG", "OPUS", "in.opus"),
        ("MP3", "MPEG_LAYER_III", "in.mp3"),
    )
]
ENCODINGS += [
    ("m4a AAC", by_ffmpeg("in.m4a", "ipod", "aac"), 4800, RATE),
    ("m4a ALAC", by_ffmpeg("in.m4a", "ipod", "alac"), 4800, RATE),
    ("mov PCM", by_ffmpeg("in.mov", "mov", "pcm_s16le"), 4800, RATE),
    ("mka FLAC", by_ffmpeg("in.mka", "matroska", "flac"), 4800, RATE),
    ("avi PCM", by_ffmpeg("in.avi", "avi", "pcm_s16le"), 4800, RATE),
]

_UNUSUAL = {
    "spaces": " two  spaces .wav",
    "quotes": 'it\'s "quoted" `here` $HOME.wav',
    "a newline": "two\nlines.wav",
    "a tab and an escape": "a\tb\x1b[31mred.wav",
    "emoji": "\N{MICROPHONE}\N{FAMILY}.wav",
    "other scripts": "声\u202eעברית.wav",
    "a leading dash": "-rf.wav",
    "a colon": "http:x.wav",
    "a percent sign": "%s%n%d.wav",
    "a star": "*?[a].wav",
    "no extension": "in",
    "only an extension": ".wav",
    "255 bytes": "n" * 251 + ".wav",
    "two extensions": "in.mp3.wav",
    "upper case": "IN.WAV",
    "bytes that are no UTF-8": b"caf\xe9.wav".decode("utf-8", "surrogateescape"),
}


def _named(name):
    def build(folder):
        path = wav(tone(1600))(folder)
        return path.rename(folder / name)

    return build


NAMES = [(what, _named(name), 1600, RATE) for what, name in _UNUSUAL.items()]
