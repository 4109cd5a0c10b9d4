"""The image datasets that torchvision knows, in its own file formats and folders.

The files are read here: torchvision's classes unpickle, write into the folder, or hash gigabytes
when they are made. torchvision downloads, and lends its checksums.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from ftcore import DataBundle, hookimpl

DATA = Path("data")


@hookimpl
def register_datasets(register: Callable[[str, Callable[..., DataBundle]], None]) -> None:
    """Register each dataset under its usual name."""
    register("cifar10", cifar10)
    register("cifar100", cifar100)
    register("mnist", mnist)
    register("fashion-mnist", fashion_mnist)
    register("kmnist", kmnist)
    register("emnist", emnist)
    register("svhn", svhn)
    register("stl10", stl10)
    register("flowers102", flowers102)
    register("food101", food101)
    register("oxford-pets", oxford_pets)
    register("eurosat", eurosat)
    register("dtd", dtd)
    register("caltech101", caltech101)
    register("imagenet", imagenet)


def cifar10(root: Path = DATA, download: bool = False, checksum: bool = True) -> DataBundle:
    """CIFAR-10: 60,000 colour images, 32x32, of 10 kinds of object (Krizhevsky 2009).

    In root/cifar-10-batches-py, or in `root` itself. With `checksum=false` files that are not the
    published ones are read too, such as a subset; a note then says which.
    """
    from .cifar import CIFAR10, read_cifar

    return read_cifar(CIFAR10, root, download, checksum)


def cifar100(root: Path = DATA, download: bool = False, checksum: bool = True) -> DataBundle:
    """CIFAR-100: 60,000 colour images, 32x32, of 100 kinds of object (Krizhevsky 2009).

    In root/cifar-100-python, or in `root` itself; `checksum` as for cifar10.
    """
    from .cifar import CIFAR100, read_cifar

    return read_cifar(CIFAR100, root, download, checksum)


def mnist(root: Path = DATA, download: bool = False) -> DataBundle:
    """MNIST: 70,000 handwritten digits, 28x28 grey (LeCun 1998).

    In root/MNIST/raw, or in `root` itself, gzipped or not.
    """
    from .idx import MNIST, read_mnist_like

    return read_mnist_like(MNIST, root, download)


def fashion_mnist(root: Path = DATA, download: bool = False) -> DataBundle:
    """Fashion-MNIST: 70,000 articles of clothing, 28x28 grey (Xiao 2017).

    In root/FashionMNIST/raw, or in `root` itself, gzipped or not.
    """
    from .idx import FASHION_MNIST, read_mnist_like

    return read_mnist_like(FASHION_MNIST, root, download)


def kmnist(root: Path = DATA, download: bool = False) -> DataBundle:
    """Kuzushiji-MNIST: 70,000 cursive hiragana, 28x28 grey (Clanuwat 2018).

    In root/KMNIST/raw, or in `root` itself, gzipped or not.
    """
    from .idx import KMNIST, read_mnist_like

    return read_mnist_like(KMNIST, root, download)


def emnist(
    split: Literal["byclass", "bymerge", "balanced", "letters", "digits", "mnist"] = "balanced",
    root: Path = DATA,
    download: bool = False,
) -> DataBundle:
    """EMNIST: handwritten letters and digits, 28x28 grey, in six splits (Cohen 2017).

    In root/EMNIST/raw, or in `root` itself, gzipped or not. The files hold the images transposed;
    here they are upright, as in MNIST. The classes of `letters` count from 0.
    """
    from .idx import emnist_source, read_mnist_like

    return read_mnist_like(emnist_source(split), root, download)


def svhn(root: Path = DATA, download: bool = False, checksum: bool = True) -> DataBundle:
    """SVHN: 99,289 digits of house numbers, 32x32 colour (Netzer 2011).

    train_32x32.mat and test_32x32.mat in `root`; the extra part is left out. `checksum` as for
    cifar10.
    """
    from .arrays import read_svhn

    return read_svhn(root, download, checksum)


def stl10(root: Path = DATA, download: bool = False, checksum: bool = True) -> DataBundle:
    """STL-10: 13,000 labelled colour images, 96x96, of 10 kinds of object (Coates 2011).

    In root/stl10_binary, or in `root` itself; the unlabelled part is not needed. `checksum` as for
    cifar10.
    """
    from .arrays import read_stl10

    return read_stl10(root, download, checksum)


def flowers102(root: Path = DATA, download: bool = False) -> DataBundle:
    """Flowers-102: 8,189 photographs of 102 kinds of flower (Nilsback & Zisserman 2008).

    In root/flowers-102; train and val have 1,020 images each.
    """
    from .files import read_flowers102

    return read_flowers102(root, download)


def food101(root: Path = DATA, download: bool = False) -> DataBundle:
    """Food-101: 101,000 photographs of 101 dishes (Bossard 2014).

    In root/food-101.
    """
    from .files import read_food101

    return read_food101(root, download)


def oxford_pets(root: Path = DATA, download: bool = False) -> DataBundle:
    """Oxford-IIIT Pet: 7,349 photographs of 37 breeds of cat and dog (Parkhi 2012).

    In root/oxford-iiit-pet; its trainval part is the train part here.
    """
    from .files import read_oxford_pets

    return read_oxford_pets(root, download)


def eurosat(root: Path = DATA, download: bool = False) -> DataBundle:
    """EuroSAT: 27,000 satellite images, 64x64 colour, of 10 kinds of land use (Helber 2019).

    In root/eurosat/2750; no split is defined.
    """
    from .files import read_eurosat

    return read_eurosat(root, download)


def dtd(partition: int = 1, root: Path = DATA, download: bool = False) -> DataBundle:
    """DTD: 5,640 photographs of 47 kinds of texture (Cimpoi 2014).

    In root/dtd/dtd; `partition`, from 1 to 10, chooses one of its splits.
    """
    from .files import read_dtd

    return read_dtd(root, download, partition)


def caltech101(root: Path = DATA, download: bool = False) -> DataBundle:
    """Caltech-101: 8,677 photographs of 101 kinds of object (Fei-Fei 2004).

    In root/caltech101/101_ObjectCategories, whose background class is left out; no split is
    defined.
    """
    from .files import read_caltech101

    return read_caltech101(root, download)


def imagenet(root: Path = DATA) -> DataBundle:
    """ImageNet (ILSVRC 2012): 1.3 million photographs of 1,000 kinds of object (Deng 2009).

    In root/train and root/val, with a folder for each WordNet id, such as n01440764; one of the
    two is enough to evaluate. It cannot be downloaded without an account.
    """
    from .files import read_imagenet

    return read_imagenet(root)
