using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>
/// The certificate of the ports. Its files are read again when they change. If they cannot be read, the certificate
/// stays.
/// </summary>
internal sealed class PublicCertificate : IDisposable
{
    private readonly GatewayOptions _options;
    private readonly ILogger<PublicCertificate> _logger;
    private readonly FileWatch? _watch;

    public PublicCertificate(IOptions<GatewayOptions> options, TimeProvider time, ILogger<PublicCertificate> logger)
    {
        (_options, _logger) = (options.Value, logger);
        if (_options.Certificate.Length > 0)
        {
            Current = Read();
            _watch = new FileWatch(Reload, time, _options.Certificate, _options.CertificateKey);
        }
    }

    /// <summary>
    /// The certificate; null without TLS. A handshake may still use a replaced one, so nobody disposes it.
    /// </summary>
    public X509Certificate2? Current { get; private set; }

    public void Dispose() => _watch?.Dispose();

    private void Reload()
    {
        try
        {
            Current = Read();
            CertificateLog.Reloaded(_logger, _options.Certificate, Current.NotAfter);
        }
        catch (Exception e) when (e is CryptographicException or IOException)
        {
            CertificateLog.NotReloaded(_logger, _options.Certificate, e.Message);
        }
    }

    private X509Certificate2 Read()
    {
        using var read = X509Certificate2.CreateFromPemFile(_options.Certificate, _options.CertificateKey);
        return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
    }
}

internal static partial class CertificateLog
{
    [LoggerMessage(
        EventId = 820,
        Level = LogLevel.Information,
        Message = "The certificate was read again from {File}; it is valid until {Until:u}")]
    public static partial void Reloaded(ILogger logger, string file, DateTime until);

    [LoggerMessage(
        EventId = 821,
        Level = LogLevel.Error,
        Message = "The certificate was not replaced, because {File} cannot be read: {Reason}")]
    public static partial void NotReloaded(ILogger logger, string file, string reason);
}
