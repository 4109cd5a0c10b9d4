"""Who does the job, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from benchmarks.finetune.job import Fit, Job


@dataclass(frozen=True)
class Contestant:
    """A way to do the job; its library is imported when it is prepared first."""

    target: str  # module:function
    library: str  # the package that pip installs
    does: str
    whole: str = "never"  # "each round" or "once" all epochs are run, or never

    @property
    def prepare(self) -> Callable[[Job], Fit]:
        """The function that sets everything up; what it returns trains and evaluates."""
        module, _, name = self.target.partition(":")
        function: Callable[[Job], Fit] = getattr(import_module(f"{__package__}.{module}"), name)
        return function


CONTESTANTS = {
    "plain PyTorch": Contestant(
        "plain:prepare",
        "torch",
        "ImageFolder, DataLoader without workers, requires_grad_(False), model.train(): BatchNorm "
        "in train mode, as in tutorials",
        "once",
    ),
    "plain PyTorch, eval mode": Contestant(
        "plain:prepare_in_eval_mode", "torch", "the same, the frozen network in eval mode", "once"
    ),
    "Hugging Face Trainer": Contestant(
        "huggingface:prepare",
        "transformers",
        "transformers' ResNetForImageClassification, its base_model frozen by requires_grad; "
        "torchvision's ImageFolder, no workers (default); BatchNorm in train mode",
    ),
    "Lightning": Contestant(
        "lightning_trainer:prepare",
        "lightning",
        "a frozen feature_extractor in eval mode, called under no_grad; ImageFolder, DataLoader "
        "without workers; no logging, no checkpoints",
    ),
    "fastai": Contestant(
        "fastai_learner:prepare",
        "fastai",
        "vision_learner with a linear head, frozen; train_bn=True (default), so the weights of "
        "BatchNorm train; fastai's loaders, a worker a core (default)",
    ),
    "fastai, train_bn=False": Contestant(
        "fastai_learner:prepare_without_batchnorm",
        "fastai",
        "the same, but the weights of BatchNorm frozen too",
    ),
    "timm": Contestant(
        "timm_loop:prepare",
        "timm",
        "timm.create_model, timm.utils.freeze (fixes BatchNorm), create_loader with a worker a "
        "core and no augmentation, a loop as in train.py",
    ),
    "ftcore": Contestant(
        "ftcore_run:prepare", "ftcore", "ftcore.run, an empty cache", "each round"
    ),
    "ftcore, again": Contestant(
        "ftcore_run:prepare_again", "ftcore", "ftcore.run, features kept", "each round"
    ),
    "ftcore, bf16": Contestant(
        "ftcore_run:prepare_bf16", "ftcore", "precision bf16, an empty cache", "each round"
    ),
    "ftcore, bf16, again": Contestant(
        "ftcore_run:prepare_bf16_again", "ftcore", "precision bf16, features kept", "each round"
    ),
}
