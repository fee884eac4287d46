/** How the Python program hands over what nnU-Net has learnt. */
export const weightsPart = `

def learnt(network):
    """The weights of nnU-Net's PlainConvUNet by the names that RONASMIS has for them. Biases that a norm takes out again are left out, and
    the head of the lowest stage, which has no share in the loss."""
    network = getattr(network, '_orig_mod', network)
    weights = {}

    def add_blocks(prefix, blocks):
        for number, block in enumerate(blocks, 1):
            weights[f'{prefix}.conv{number}'] = block.conv.weight
            weights[f'{prefix}.scale{number}'] = block.norm.weight
            weights[f'{prefix}.shift{number}'] = block.norm.bias

    for stage, modules in enumerate(network.encoder.stages):
        add_blocks(f'encoder.{stage}', modules[-1].convs)
    decoder = network.decoder
    for stage, index in enumerate(reversed(range(len(decoder.stages)))):
        weights[f'decoder.{stage}.up'] = decoder.transpconvs[index].weight
        weights[f'decoder.{stage}.up.bias'] = decoder.transpconvs[index].bias
        add_blocks(f'decoder.{stage}', decoder.stages[index].convs)
        if stage < max(1, len(decoder.stages) - 1):
            weights[f'head.{stage}'] = decoder.seg_layers[index].weight
            weights[f'head.{stage}.bias'] = decoder.seg_layers[index].bias
    return weights


def write_weights(trainer, path):
    """As a safetensors file, in float32: the length of a header in JSON, that header, and the numbers. nnU-Net may have turned the axes."""
    back = [2 + axis for axis in trainer.plans_manager.transpose_backward]
    header, content, offset = {}, [], 0
    for name, weight in learnt(trainer.network).items():
        weight = weight.detach().float().cpu()
        weight = weight.permute(0, 1, *back).contiguous() if weight.dim() == 5 else weight
        data = weight.numpy().astype('<f4').tobytes()
        header[name] = {'dtype': 'F32', 'shape': list(weight.shape), 'data_offsets': [offset, offset + len(data)]}
        content.append(data)
        offset += len(data)
    described = json.dumps(header).encode()
    described += b' ' * (-len(described) % 8)
    with open(path + '-new', 'wb') as file:
        file.write(len(described).to_bytes(8, 'little') + described)
        file.writelines(content)
    os.replace(path + '-new', path)
`;
