"""Turn a GGUF file into a checkpoint folder that vLLM loads; run in a process of its own, for it imports torch.

`python -P _gguf_checkpoint.py SOURCE FOLDER`
"""

import sys
from pathlib import Path


def main(source: Path, folder: Path) -> None:
    """Write model (bfloat16, not quantized), tokenizer and chat template of the GGUF file `source` into `folder`."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig  # noqa: PLC0415 - half a minute

    model = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, dtype="bfloat16", quantization_config=GgufConfig(dequantize=True)
    )
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
