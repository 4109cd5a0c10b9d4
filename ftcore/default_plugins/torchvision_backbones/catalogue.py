"""The architectures on offer: what `ftcore list backbones` shows, known without any import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .sizing import Sizes

Family: TypeAlias = Literal[
    "alexnet",
    "convnext",
    "densenet",
    "efficientnet",
    "mobilenet_v2",
    "mobilenet_v3",
    "regnet",
    "resnet",
    "shufflenet",
    "squeezenet",
    "swin",
    "vgg",
    "vit",
]

_ANY_SIZE = Sizes()
_IMAGENET = "ImageNet-1k"
_SWAG = "Instagram and ImageNet-1k"  # Singh 2022


@dataclass(frozen=True)
class Architecture:
    """One model of torchvision.models, under its name there."""

    name: str
    title: str
    millions: float  # of parameters below the head
    family: Family
    sizes: Sizes = _ANY_SIZE
    data: str = _IMAGENET  # what its default weights were trained on

    @property
    def summary(self) -> str:
        """One line for a list of backbones."""
        return f"{self.title}, {self.millions} M parameters, {self.data} weights"


def _patches(pixels: int) -> Sizes:
    # Four patches a side is the least that still shows an arrangement.
    return Sizes(smallest=pixels, useful=max(96, 4 * pixels), multiple=pixels, is_strict=True)


_ALEXNET = Sizes(smallest=63)
_VGG = Sizes(smallest=32)
_DENSENET = Sizes(smallest=29)
_SQUEEZENET_1_0 = Sizes(smallest=21)
_SQUEEZENET_1_1 = Sizes(smallest=17)
_CONVNEXT = Sizes(smallest=32)
# Windows of 7 or 8 patches of 4 pixels: other sizes work, but pad the windows with zeros.
_SWIN = Sizes(smallest=4, multiple=28)
_SWIN_V2 = Sizes(smallest=4, multiple=32)

CATALOGUE: tuple[Architecture, ...] = (
    Architecture("alexnet", "AlexNet (Krizhevsky 2014)", 57.0, "alexnet", _ALEXNET),
    Architecture("convnext_tiny", "ConvNeXt-T (Liu 2022)", 27.8, "convnext", _CONVNEXT),
    Architecture("convnext_small", "ConvNeXt-S (Liu 2022)", 49.5, "convnext", _CONVNEXT),
    Architecture("convnext_base", "ConvNeXt-B (Liu 2022)", 87.6, "convnext", _CONVNEXT),
    Architecture("convnext_large", "ConvNeXt-L (Liu 2022)", 196.2, "convnext", _CONVNEXT),
    Architecture("densenet121", "DenseNet-121 (Huang 2017)", 7.0, "densenet", _DENSENET),
    Architecture("densenet161", "DenseNet-161 (Huang 2017)", 26.5, "densenet", _DENSENET),
    Architecture("densenet169", "DenseNet-169 (Huang 2017)", 12.5, "densenet", _DENSENET),
    Architecture("densenet201", "DenseNet-201 (Huang 2017)", 18.1, "densenet", _DENSENET),
    Architecture("efficientnet_b0", "EfficientNet-B0 (Tan 2019)", 4.0, "efficientnet"),
    Architecture("efficientnet_b1", "EfficientNet-B1 (Tan 2019)", 6.5, "efficientnet"),
    Architecture("efficientnet_b2", "EfficientNet-B2 (Tan 2019)", 7.7, "efficientnet"),
    Architecture("efficientnet_b3", "EfficientNet-B3 (Tan 2019)", 10.7, "efficientnet"),
    Architecture("efficientnet_b4", "EfficientNet-B4 (Tan 2019)", 17.5, "efficientnet"),
    Architecture("efficientnet_b5", "EfficientNet-B5 (Tan 2019)", 28.3, "efficientnet"),
    Architecture("efficientnet_b6", "EfficientNet-B6 (Tan 2019)", 40.7, "efficientnet"),
    Architecture("efficientnet_b7", "EfficientNet-B7 (Tan 2019)", 63.8, "efficientnet"),
    Architecture("efficientnet_v2_s", "EfficientNetV2-S (Tan 2021)", 20.2, "efficientnet"),
    Architecture("efficientnet_v2_m", "EfficientNetV2-M (Tan 2021)", 52.9, "efficientnet"),
    Architecture("efficientnet_v2_l", "EfficientNetV2-L (Tan 2021)", 117.2, "efficientnet"),
    Architecture("mobilenet_v2", "MobileNetV2 (Sandler 2018)", 2.2, "mobilenet_v2"),
    Architecture("mobilenet_v3_small", "MobileNetV3 small (Howard 2019)", 1.5, "mobilenet_v3"),
    Architecture("mobilenet_v3_large", "MobileNetV3 large (Howard 2019)", 4.2, "mobilenet_v3"),
    Architecture("regnet_x_400mf", "RegNetX-400MF (Radosavovic 2020)", 5.1, "regnet"),
    Architecture("regnet_x_800mf", "RegNetX-800MF (Radosavovic 2020)", 6.6, "regnet"),
    Architecture("regnet_x_1_6gf", "RegNetX-1.6GF (Radosavovic 2020)", 8.3, "regnet"),
    Architecture("regnet_x_3_2gf", "RegNetX-3.2GF (Radosavovic 2020)", 14.3, "regnet"),
    Architecture("regnet_x_8gf", "RegNetX-8GF (Radosavovic 2020)", 37.7, "regnet"),
    Architecture("regnet_x_16gf", "RegNetX-16GF (Radosavovic 2020)", 52.2, "regnet"),
    Architecture("regnet_x_32gf", "RegNetX-32GF (Radosavovic 2020)", 105.3, "regnet"),
    Architecture("regnet_y_400mf", "RegNetY-400MF (Radosavovic 2020)", 3.9, "regnet"),
    Architecture("regnet_y_800mf", "RegNetY-800MF (Radosavovic 2020)", 5.6, "regnet"),
    Architecture("regnet_y_1_6gf", "RegNetY-1.6GF (Radosavovic 2020)", 10.3, "regnet"),
    Architecture("regnet_y_3_2gf", "RegNetY-3.2GF (Radosavovic 2020)", 17.9, "regnet"),
    Architecture("regnet_y_8gf", "RegNetY-8GF (Radosavovic 2020)", 37.4, "regnet"),
    Architecture("regnet_y_16gf", "RegNetY-16GF (Radosavovic 2020)", 80.6, "regnet"),
    Architecture("regnet_y_32gf", "RegNetY-32GF (Radosavovic 2020)", 141.3, "regnet"),
    Architecture("regnet_y_128gf", "RegNetY-128GF (Radosavovic 2020)", 637.4, "regnet", data=_SWAG),
    Architecture("resnet18", "ResNet-18 (He 2016)", 11.2, "resnet"),
    Architecture("resnet34", "ResNet-34 (He 2016)", 21.3, "resnet"),
    Architecture("resnet50", "ResNet-50 (He 2016)", 23.5, "resnet"),
    Architecture("resnet101", "ResNet-101 (He 2016)", 42.5, "resnet"),
    Architecture("resnet152", "ResNet-152 (He 2016)", 58.1, "resnet"),
    Architecture("resnext50_32x4d", "ResNeXt-50 32x4d (Xie 2017)", 23.0, "resnet"),
    Architecture("resnext101_32x8d", "ResNeXt-101 32x8d (Xie 2017)", 86.7, "resnet"),
    Architecture("resnext101_64x4d", "ResNeXt-101 64x4d (Xie 2017)", 81.4, "resnet"),
    Architecture("shufflenet_v2_x0_5", "ShuffleNetV2 0.5x (Ma 2018)", 0.3, "shufflenet"),
    Architecture("shufflenet_v2_x1_0", "ShuffleNetV2 1.0x (Ma 2018)", 1.3, "shufflenet"),
    Architecture("shufflenet_v2_x1_5", "ShuffleNetV2 1.5x (Ma 2018)", 2.5, "shufflenet"),
    Architecture("shufflenet_v2_x2_0", "ShuffleNetV2 2.0x (Ma 2018)", 5.3, "shufflenet"),
    Architecture(
        "squeezenet1_0", "SqueezeNet 1.0 (Iandola 2016)", 0.7, "squeezenet", _SQUEEZENET_1_0
    ),
    Architecture(
        "squeezenet1_1", "SqueezeNet 1.1 (Iandola 2016)", 0.7, "squeezenet", _SQUEEZENET_1_1
    ),
    Architecture("swin_t", "Swin-T (Liu 2021)", 27.5, "swin", _SWIN),
    Architecture("swin_s", "Swin-S (Liu 2021)", 48.8, "swin", _SWIN),
    Architecture("swin_b", "Swin-B (Liu 2021)", 86.7, "swin", _SWIN),
    Architecture("swin_v2_t", "SwinV2-T (Liu 2022)", 27.6, "swin", _SWIN_V2),
    Architecture("swin_v2_s", "SwinV2-S (Liu 2022)", 49.0, "swin", _SWIN_V2),
    Architecture("swin_v2_b", "SwinV2-B (Liu 2022)", 86.9, "swin", _SWIN_V2),
    Architecture("vgg11", "VGG-11 (Simonyan 2015)", 128.8, "vgg", _VGG),
    Architecture("vgg11_bn", "VGG-11 with BatchNorm (Simonyan 2015)", 128.8, "vgg", _VGG),
    Architecture("vgg13", "VGG-13 (Simonyan 2015)", 129.0, "vgg", _VGG),
    Architecture("vgg13_bn", "VGG-13 with BatchNorm (Simonyan 2015)", 129.0, "vgg", _VGG),
    Architecture("vgg16", "VGG-16 (Simonyan 2015)", 134.3, "vgg", _VGG),
    Architecture("vgg16_bn", "VGG-16 with BatchNorm (Simonyan 2015)", 134.3, "vgg", _VGG),
    Architecture("vgg19", "VGG-19 (Simonyan 2015)", 139.6, "vgg", _VGG),
    Architecture("vgg19_bn", "VGG-19 with BatchNorm (Simonyan 2015)", 139.6, "vgg", _VGG),
    Architecture("vit_b_16", "ViT-B/16 (Dosovitskiy 2021)", 85.8, "vit", _patches(16)),
    Architecture("vit_b_32", "ViT-B/32 (Dosovitskiy 2021)", 87.5, "vit", _patches(32)),
    Architecture("vit_l_16", "ViT-L/16 (Dosovitskiy 2021)", 303.3, "vit", _patches(16)),
    Architecture("vit_l_32", "ViT-L/32 (Dosovitskiy 2021)", 305.5, "vit", _patches(32)),
    Architecture("vit_h_14", "ViT-H/14 (Dosovitskiy 2021)", 630.8, "vit", _patches(14), _SWAG),
    Architecture("wide_resnet50_2", "Wide ResNet-50-2 (Zagoruyko 2016)", 66.8, "resnet"),
    Architecture("wide_resnet101_2", "Wide ResNet-101-2 (Zagoruyko 2016)", 124.8, "resnet"),
)
