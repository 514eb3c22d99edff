namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>State-space layers: their parts divide each other.</summary>
internal static class RecurrentCheck
{
    public static string? FindFault(Hyperparameters model)
    {
        var inner = model.Number("ssm.inner_size") ?? 0;
        var heads = model.Number("ssm.time_step_rank") ?? 0;
        var groups = model.Number("ssm.group_count") ?? 0;
        var isHeaded = Architectures.Has(model.Architecture, Traits.HeadedStates);
        return heads > 0 && inner % heads != 0 && isHeaded
                ? $"a state of {inner} cannot be shared by {heads} heads"
            : groups > 0 && inner % groups != 0 ? $"a state of {inner} cannot be shared by {groups} groups"
            : groups == 0 && isHeaded
                ? $"'{model.Architecture}.ssm.group_count' is 0"
            : null;
    }
}
