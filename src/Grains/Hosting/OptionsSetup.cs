using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting;

/// <summary>Registers options that are read from a section and checked at start.</summary>
internal static class OptionsSetup
{
    public static IServiceCollection AddValidated<TOptions, TValidator>(
        this IServiceCollection services, string section)
        where TOptions : class
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TOptions>, TValidator>());
        return services;
    }

    /// <summary>Registers a service that is used by others and runs with the process.</summary>
    public static IServiceCollection AddHosted<TService>(this IServiceCollection services)
        where TService : class, Microsoft.Extensions.Hosting.IHostedService =>
        services.AddSingleton<TService>().AddHostedService(provider => provider.GetRequiredService<TService>());
}
