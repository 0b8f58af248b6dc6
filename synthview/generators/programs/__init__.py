"""Generators that are programs: TorchScript, torch.export, ONNX."""
