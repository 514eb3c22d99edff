namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>Experts: how many there are, are used, and are grouped.</summary>
internal static class ExpertCheck
{
    private const int MaxExperts = 1024;

    public static string? FindFault(Hyperparameters model)
    {
        var count = model.Number("expert_count") ?? 0;
        var perLayer = model.PerLayer("expert_used_count");
        var used = perLayer.Count > 0 ? perLayer.Max() : 0;
        if (model.Architecture is "hunyuan_vl" or "hunyuan-dense" && count <= 1)
        {
            (count, used) = (0, 0);
        }

        var groups = model.Number("expert_group_count") ?? 0;
        var usedGroups = model.Number("expert_group_used_count") ?? 0;
        return count > MaxExperts ? $"{count} experts are more than {MaxExperts}"
            : used > count ? $"{used} experts of {count} are used"
            : count > 0 && used == 0 ? $"none of {count} experts is used"
            : count > 0 && groups >= count ? $"{groups} groups cannot have {count} experts"
            : count == 0 && groups > 0 ? $"{groups} groups have no experts"
            : groups > 1 && (count % groups != 0 || usedGroups < 1 || usedGroups >= groups)
                ? $"{count} experts in {groups} groups, {usedGroups} of them used, are not possible"
            : count == 0 && Architectures.Has(model.Architecture, Traits.Experts)
                ? $"'{model.Architecture}' has no experts"
            : null;
    }
}
