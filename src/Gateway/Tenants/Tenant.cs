namespace Herd.Gateway.Tenants;

/// <summary>Who calls.</summary>
/// <param name="Name">Whose conversations are seen.</param>
/// <param name="IsOperator">Whether what is for operators may be done.</param>
/// <param name="Limits">What may be used.</param>
internal sealed record Tenant(string Name, bool IsOperator, TenantLimits Limits)
{
    /// <summary>Everybody, where no key is asked for.</summary>
    public const string Everybody = "default";
}
